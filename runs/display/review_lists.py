"""The lists that accompany the review queue: the member's requests, and recent decisions."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch, QuerySet
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from runs.display.provenance import verdict_words
from runs.display.review_queue import VerdictSummary, label_of
from runs.display.verdicts import VERDICT_ICONS
from runs.models import Decision, Member, Output, OutputFile, ReviewItem, ReviewRequest, StoredFile
from runs.review import overall_verdict, requests, review_queries
from runs.words.due_dates import due_words, is_urgent
from runs.words.numbers import number_words

PAGE = 20  # requests on a page
PICTURES = 8  # how many results to show for each request
LATELY = 5  # how many decisions to show below an empty queue and on Home
DECIDED = 50  # decisions in the list
GUESTS = ReviewRequest.Audience.GUESTS  # guests can't be reminded, because the portal doesn't have their addresses


@dataclass(frozen=True)
class Thumb:
    """A thumbnail of a result, with a link to the result's page."""

    output: Output

    @property
    def url(self) -> str:
        return self.output.get_absolute_url()

    @property
    def label(self) -> str:
        return label_of(self.output)

    @property
    def file(self) -> StoredFile | None:
        first = next(iter(self.output.files.all()), None)
        return first.file if first else None

    @property
    def icon(self) -> str:
        kind = "text" if self.output.text else self.output.kind
        return kind if kind in ("image", "video", "audio", "text") else "file"

    @property
    def verdict_icon(self) -> str:
        return VERDICT_ICONS.get(self.output.verdict, "")

    @property
    def verdict_word(self) -> str:
        """The verdict on the result, in words."""
        return str(Decision.Verdict(self.output.verdict).label) if self.output.verdict else _("Not reviewed")


@dataclass(frozen=True)
class DecidedLine:
    """A decision in a list, with a picture of its result."""

    summary: VerdictSummary
    thumb: Thumb

    @property
    def word(self) -> str:
        if not overall_verdict.counts(self.summary.decision):
            return self.summary.word
        return verdict_words(self.summary.decision.verdict, len(self.thumb.output.files.all()))


def asked_words(request: ReviewRequest, *, names_client: bool = True) -> str:
    """Return who was asked, in words. Only people who may see the guest link may read whom it is for: for others, pass
    `names_client=False`."""
    if request.audience == ReviewRequest.Audience.NAMED:
        return str(get_text_list([member.display_name for member in request.members.all()], _("and")))
    if request.audience == GUESTS:
        name = request.link.audience if names_client and request.link is not None else ""
        return name or _("A client, via guest link")
    return _("Anyone who can decide")


@dataclass(frozen=True)
class RequestLine:
    """One of the member's requests: who was asked, its progress, and some of its results."""

    request: ReviewRequest
    thumbs: list[Thumb]
    total: int
    settled: int
    can_remind: bool

    @property
    def state(self) -> str:
        if self.request.closed_at:
            return "closed"
        return "done" if self.settled >= self.total else "open"

    @property
    def who(self) -> str:
        return asked_words(self.request)

    @property
    def progress(self) -> str:
        words = ngettext("%(settled)s of %(total)s decided", "%(settled)s of %(total)s decided", self.total)
        return words % {"settled": number_words(self.settled), "total": number_words(self.total)}

    @property
    def more(self) -> str:
        """The number of results that aren't shown, such as "+12"."""
        left = self.total - len(self.thumbs)
        return f"+{number_words(left)}" if left > 0 else ""

    @property
    def due_words(self) -> str:
        day = self.request.due_on
        return due_words(day) if day and self.state == "open" else ""

    @property
    def is_urgent(self) -> bool:
        return self.state == "open" and self.request.due_on is not None and is_urgent(self.request.due_on)


@dataclass(frozen=True)
class RequestsPage:
    """One page of requests. `newer` and `older` are page numbers, or 0 if there is no such page."""

    lines: list[RequestLine]
    number: int
    newer: int
    older: int


def requests_page(member: Member, number: int, now: datetime) -> RequestsPage:
    """Return page `number` (counting from 1) of the requests made by `member`, newest first."""
    number = max(1, number)
    items = ReviewItem.objects.filter(output__run__deleted_at=None).select_related("output").order_by("position")
    files = Prefetch("output__files", saved_files())
    with_items = Prefetch("items", items[:PICTURES].prefetch_related(files), to_attr="shown_items")
    start = (number - 1) * PAGE
    requests = list(review_queries.asked_by(member).prefetch_related(with_items)[start : start + PAGE + 1])
    return RequestsPage(
        lines=[_line(request, now) for request in requests[:PAGE]],
        number=number,
        newer=number - 1,
        older=number + 1 if len(requests) > PAGE else 0,
    )


def _line(request: ReviewRequest, now: datetime) -> RequestLine:
    items: list[ReviewItem] = getattr(request, "shown_items", [])
    total, settled = getattr(request, "total", 0), getattr(request, "settled", 0)
    is_due = request.reminded_at is None or request.reminded_at <= now - requests.REMIND_AGAIN_AFTER
    return RequestLine(
        request=request,
        thumbs=[Thumb(item.output) for item in items],
        total=total,
        settled=settled,
        can_remind=is_due and request.closed_at is None and settled < total and request.audience != GUESTS,
    )


def decided_lines(decisions: QuerySet[Decision], member: Member) -> list[DecidedLine]:
    """Return `decisions` as lines with pictures, as `member` sees them. Takes two queries."""
    rows = with_pictures(decisions)
    return [DecidedLine(VerdictSummary(decision, member), Thumb(decision.output)) for decision in rows]


def with_pictures(decisions: QuerySet[Decision]) -> Iterable[Decision]:
    return decisions.prefetch_related(Prefetch("output__files", saved_files()))


def saved_files() -> QuerySet[OutputFile]:
    """Return saved files, along with everything their thumbnails need."""
    return OutputFile.objects.filter(status=OutputFile.Status.SAVED).select_related("file")
