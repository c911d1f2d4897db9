"""The review queue: the result to decide on, its neighbours, and the last decision.

A page takes eight queries, no matter how many results are waiting: the session, the member, the waiting results (ids
only), the result and the one after it, their runs' results and files, decisions on it, and the member's last decision.
Comments, if any, take two more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Exists, Prefetch, prefetch_related_objects
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from runs.display.comment_draft import CommentDraft, draft_on
from runs.display.comments import CommentPanel, result_comments
from runs.display.passed_over import PassedOver, passed_over
from runs.display.result_page import Beside, Slide, slides_of
from runs.display.verdicts import decision_icon
from runs.models import Decision, Member, Output, OutputFile, ReviewItem, ReviewRequest, ReviewRules, Run, RunInput
from runs.models.addresses import url_with
from runs.models.decisions import UNDO_FOR
from runs.review import overall_verdict, review_queries, threads
from runs.review.deciders import member_refusal
from runs.review.errors import SupersededError
from runs.words.due_dates import due_words, is_urgent
from runs.words.numbers import capped_words, number_words

LATEST = 10  # how many comment threads to show at first, so that pages stay fast
LISTED = 1_000  # the queue orders and counts at most this many waiting results


@dataclass(frozen=True)
class VerdictSummary:
    """A verdict as it is shown: its icon and word, who gave it, when and why."""

    decision: Decision
    viewer: Member
    others: int = 0  # number of other results that got the same decision

    @property
    def chosen(self) -> PassedOver | None:
        """The result that was chosen instead."""
        return passed_over(self.decision, self.viewer)

    @property
    def others_words(self) -> str:
        return ngettext("and %(count)s more", "and %(count)s more", self.others) % {"count": number_words(self.others)}

    @property
    def icon(self) -> str:
        return decision_icon(self.decision)

    @property
    def tone(self) -> str:
        """The verdict that colours the decision; "none" if it doesn't count."""
        return self.decision.verdict if overall_verdict.counts(self.decision) else "none"

    @property
    def word(self) -> str:
        return overall_verdict.words_of(self.decision)

    @property
    def label(self) -> str:
        return label_of(self.decision.output)

    @property
    def words(self) -> str:
        """What was decided, and on which result, such as "Approved: Front"."""
        return _("%(verdict)s: %(result)s") % {"verdict": self.word, "result": self.label}


@dataclass(frozen=True)
class QueuePage:
    """One result to decide on. `item` is None if the result is no longer waiting, because someone decided while this
    page was open."""

    item: ReviewItem | None
    output: Output
    run: Run
    slide: Slide
    slides: list[Slide]
    count: int
    position: int  # the result's place in the queue, from 1; 0 if it isn't waiting any more
    previous: Beside | None
    next: Beside | None
    after: str  # id of the result to show next
    verdicts: list[VerdictSummary]
    needs_reason: bool
    refusal: str  # why the member may not decide; "" if they may

    @property
    def place_words(self) -> str:
        if not self.position:
            return ""
        values = {"position": number_words(self.position), "count": capped_words(self.count, LISTED)}
        return _("%(position)s of %(count)s") % values

    @property
    def left_words(self) -> str:
        return left_words(self.count)

    @property
    def request(self) -> ReviewRequest | None:
        return self.item.request if self.item else None

    @property
    def has_word_only(self) -> bool:
        """Whether a client has answered, but only the team's decision counts."""
        return any(not overall_verdict.counts(summary.decision) for summary in self.verdicts)

    @property
    def due_words(self) -> str:
        return due_words(self.item.due_day) if self.item and self.item.due_day else ""

    @property
    def is_urgent(self) -> bool:
        return bool(self.item and self.item.due_day and is_urgent(self.item.due_day))


def left_words(count: int) -> str:
    """Return how many results are still waiting, such as "41 left"."""
    if not count:
        return _("Nothing left")
    return ngettext("%(count)s left", "%(count)s left", count) % {"count": capped_words(count, LISTED)}


def label_of(output: Output) -> str:
    """Return a result's label, without the number that tells outputs with the same label apart."""
    return output.numbered_label or _("Result %(number)s") % {"number": output.position + 1}


def waiting_ids(member: Member) -> dict[str, int]:
    """Map the public ids of the results waiting for `member`, in order, to the primary keys of their review items."""
    rows = review_queries.waiting_for(member).values_list("output__public_id", "pk")
    ids: dict[str, int] = {}
    for public_id, pk in rows[: LISTED + 1]:
        ids.setdefault(public_id, pk)
    return ids


def first_of(request_id: str, waiting: dict[str, int]) -> str:
    """Return the public id of the request's first waiting result; "" if none are waiting."""
    if not request_id:
        return ""
    of_request = ReviewItem.objects.filter(pk__in=waiting.values(), request__public_id=request_id)
    items = set(of_request.values_list("pk", flat=True))
    return next((public_id for public_id, item in waiting.items() if item in items), "")


def queue_page(
    member: Member, waiting: dict[str, int], *, at: str = "", number: int = 1, is_kept: bool = False
) -> QueuePage | None:
    """Return the page for the result `at` (public id), by default the first of `waiting`; None if there is nothing to
    show.

    With `is_kept`, show the result even if it is no longer waiting. `number` says which of its files to show.
    """
    ids = list(waiting)
    if at not in waiting and not is_kept:
        at = ids[0] if ids else ""
    place = ids.index(at) if at in waiting else -1
    before = ids[place - 1] if place > 0 else ""
    after = ids[place + 1] if 0 <= place < len(ids) - 1 else next((one for one in ids if one != at), "")
    items = _items([waiting[one] for one in (at, after) if one in waiting])
    output = items[at].output if at in items else _output(member, at)
    if output is None:
        return None
    _load([output, *(item.output for item in items.values())])
    slides = list(slides_of(output.run, output))
    decided = (
        Decision.objects.standing()
        .on_current_content()
        .filter(output=output)
        .select_related("member", "link__member", "link__made_by", "chosen__run")
    )
    item = items.get(at)
    # results only wait for members who may decide on them, so we only need the rules if this one isn't waiting
    rules = None if item else ReviewRules.current()
    return QueuePage(
        item=item,
        output=output,
        run=output.run,
        slide=next((slide for slide in slides if slide.number == number), slides[0]),
        slides=slides,
        count=len(ids),
        position=place + 1,
        previous=Beside(queue_url(at=before), "") if before else None,
        next=_next(items[after].output) if after in items and place < len(ids) - 1 else None,
        after=after,
        verdicts=[VerdictSummary(decision, member) for decision in decided],
        needs_reason=rules.needs_reason if rules else bool(getattr(item, "needs_reason", True)),
        refusal=member_refusal(member, output, rules) if rules else "",
    )


@dataclass(frozen=True)
class Newer:
    """A newer version of a result, and where to decide on it."""

    number: int
    url: str


def newer_shown(error: Exception | None, member: Member, waiting: dict[str, int]) -> Newer | None:
    """Return the newer version that `error` is about, with a link to the queue if it is waiting there; None if `member`
    can't see that version."""
    if not isinstance(error, SupersededError) or not error.output.run.is_visible_to(member):
        return None
    newer = error.output
    is_waiting = newer.public_id in waiting
    return Newer(newer.number, queue_url(at=newer.public_id) if is_waiting else newer.get_absolute_url())


def queue_comments(page: QueuePage, member: Member, *, shows_all: bool = False) -> CommentPanel:
    """Return the comments on the result that `page` shows. Takes no queries if the result has no comments and no
    earlier versions."""
    if not page.output.comments_total and page.output.number == 1:
        return CommentPanel([])
    return result_comments(page.slide, member, most=threads.MOST if shows_all else LATEST)


def queue_draft(page: QueuePage, *, shows_all: bool = False) -> CommentDraft:
    """Return an empty comment form for the result that `page` shows. After posting a comment, the member returns to the
    same result in the queue."""
    slide = page.slide
    n = str(slide.number) if slide.number > 1 else ""
    here = queue_url(at=page.output.public_id, kept="1", n=n, comments="all" if shows_all else "")
    draft = draft_on(page.output, page.run, here, slide.file, slide.number)
    return replace(draft, at_query=f"{queue_url(at=page.output.public_id, kept='1')}&t=")


def last_shown(member: Member, now: datetime) -> VerdictSummary | None:
    """Return the member's last decision, if they can still undo it."""
    last = review_queries.last_decision(member, now - UNDO_FOR)
    return VerdictSummary(last, member, getattr(last, "of_batch", 1) - 1) if last else None


def queue_url(**query: str) -> str:
    """Return the URL of the queue, with all parameters that aren't empty, such as `at` (the result to show)."""
    return url_with("review", **query)


def _items(pks: Sequence[int]) -> dict[str, ReviewItem]:
    items = ReviewItem.objects.filter(pk__in=pks).select_related("request__asker", *_with_run("output__"))
    free = ReviewRules.objects.filter(needs_reason=False)
    return {item.output.public_id: item for item in items.annotate(needs_reason=~Exists(free))}


def _output(member: Member, public_id: str) -> Output | None:
    outputs = Output.objects.visible_to(member).select_related(*_with_run(""))
    return outputs.filter(public_id=public_id).first() if public_id else None


def _with_run(before: str) -> list[str]:
    return [f"{before}run__{name}" for name in ("app", "member", "made_by")]


def _load(outputs: Sequence[Output]) -> None:
    """Load all the results, with their files, for the runs that `outputs` belong to. Inputs aren't loaded, because the
    queue doesn't show them in full."""
    runs: dict[int, Run] = {}
    for output in outputs:
        output.run = runs.setdefault(output.run_id, output.run)
    files = Prefetch("files", OutputFile.objects.select_related("file"))
    everything = Prefetch("outputs", Output.objects.prefetch_related(files))
    prefetch_related_objects(list(runs.values()), everything, Prefetch("inputs", RunInput.objects.none()))


def _next(output: Output) -> Beside:
    slide = next(iter(slides_of(output.run, output)))
    url, file = queue_url(at=output.public_id), slide.file
    if file is None or slide.kind == "download":
        return Beside(url, slide.label)
    if slide.kind == "image":
        return Beside(url, slide.label, file.large_url or file.original_url)
    return Beside(url, slide.label, file.large_url, file.original_url)
