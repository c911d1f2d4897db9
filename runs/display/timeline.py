"""A run's timeline: what happened to it and its results, and the comments on the whole run, in chronological order."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet

from runs.display.comments import CommentLine, run_comments
from runs.display.result_boxes import result_labels, with_files
from runs.display.review_lists import asked_words
from runs.display.run_page import RunPage
from runs.display.run_sentences import may_have_started
from runs.models import Comment, CommentChange, Decision, Member, ReviewRequest, Run
from runs.review import overall_verdict
from runs.words.moments import brief_day_words

MOST = 50  # for each kind of step about results, show only the latest ones, up to this many
type Place = tuple[str, str]  # a result's label and URL
NOWHERE: Place = ("", "")
SETTLED = (CommentChange.Act.RESOLVED, CommentChange.Act.REOPENED)
MOVED = (CommentChange.Act.CARRIED, CommentChange.Act.RETURNED)


@dataclass(frozen=True)
class Step:
    """One step. `kind` selects its text in the template. A step without a time hasn't happened yet."""

    kind: str
    at: datetime | None = None
    who: str = ""
    link_maker: str = ""  # who made the link, if a guest did it
    run: Run | None = None  # another run: the one that this run was started from, or one that was started from this run
    label: str = ""  # the result's label
    url: str = ""
    count: int = 0  # number of comments, or of results
    asked: str = ""  # who was asked for decisions
    due: str = ""  # the day by which they were asked to decide
    line: CommentLine | None = None


def timeline_of(page: RunPage, viewer: Member, *, shows_all: bool = False) -> list[Step]:
    """Return the steps of the run; those that haven't happened yet come last. Unless `shows_all` is set, only the
    latest comments are included.

    The number of queries doesn't depend on how many steps there are.
    """
    run = page.run
    outputs = list(run.outputs.all())
    labels = zip(outputs, result_labels(outputs), strict=True)
    places = {output.pk: (with_files(label, output), output.get_absolute_url()) for output, label in labels}
    steps = [
        *_steps_of_run(page),
        *_requests(run, places),
        *(_decisions(run, places) if any(output.decided_in for output in outputs) else ()),
        *_comments(run, viewer, places, shows_all=shows_all),
    ]
    past = sorted((step for step in steps if step.at is not None), key=lambda step: step.at or run.created_at)
    return past + [step for step in steps if step.at is None]


def _steps_of_run(page: RunPage) -> Iterator[Step]:
    run, ended = page.run, page.state.key in ("failed", "cancelled")
    if page.parent is not None:
        yield Step("parent", page.parent.created_at, run=page.parent)
    yield Step("pressed", run.created_at)
    if run.started_at is not None:
        yield Step("started", run.started_at)
    elif run.finished_at is None:
        yield Step("starts")
    elif ended and not may_have_started(run):
        yield Step("never-started", run.finished_at)
    if run.cancel_asked_at is not None and run.finished_at is None:
        yield Step("cancel-asked", run.cancel_asked_at)
    yield Step("finished", run.finished_at) if run.finished_at is not None else Step("finishes")
    if run.shared_at is not None:
        yield Step("shared", run.shared_at)
    for child in page.children:
        yield Step("child", child.created_at, run=child)


def _requests(run: Run, places: dict[int, Place]) -> Iterator[Step]:
    for request, output, count in _requests_about(run):
        label, url = places.get(output, NOWHERE)
        yield Step(
            "asked-always" if request.is_automatic else "asked",
            request.created_at,
            request.asker.display_name,
            label=label,
            url=url,
            count=count,
            asked=asked_words(request, names_client=False),
            due=brief_day_words(request.due_on) if request.due_on else "",
        )


def _decisions(run: Run, places: dict[int, Place]) -> Iterator[Step]:
    for decision in _decisions_on(run):
        label, url = places.get(decision.output_id, NOWHERE)
        link, kind = decision.link, decision.verdict or decision.act
        if decision.verdict and not overall_verdict.counts(decision):
            kind = f"{kind}-said"
        maker = link.maker.display_name if link is not None else ""
        yield Step(kind, decision.created_at, decision.who, maker, label=label, url=url)


def _comments(run: Run, viewer: Member, places: dict[int, Place], *, shows_all: bool) -> Iterator[Step]:
    counts = list(_comment_counts(run))
    if any(output is None for output, _count, _latest in counts):
        yield from _comments_on_run(run, viewer, shows_all=shows_all)
    on_results = [row for row in counts if row[0] is not None and row[1]]
    for output, count, latest in on_results[:MOST]:
        label, url = places.get(output, NOWHERE)
        yield Step("commented", latest, label=label, url=f"{url}#comments", count=count)
    if counts:
        yield from _comment_changes(run, places)


def _comments_on_run(run: Run, viewer: Member, *, shows_all: bool) -> Iterator[Step]:
    panel = run_comments(run, viewer, shows_all=shows_all)
    if panel.hidden:
        yield Step("earlier", panel.lines[0].comment.created_at, count=panel.hidden)
    for line in panel.lines:
        yield Step("comment", line.comment.created_at, line=line)


def _comment_changes(run: Run, places: dict[int, Place]) -> Iterator[Step]:
    for change in _settled(run):
        label, url = _place_of(change.comment, places)
        who = change.member.display_name if change.member is not None else ""
        yield Step(change.act, change.created_at, who, label=label, url=url)
    for act, at, name, email, output, count in _moved(run):
        label, url = places.get(output, NOWHERE)
        who = Member(name=name or "", email=email or "").display_name
        yield Step(act, at, who, label=label, url=f"{url}#comments", count=count)


def _requests_about(run: Run) -> list[tuple[ReviewRequest, int, int]]:
    """Return the requests for decisions on results of `run`, each with the key of one of these results and how many
    there are."""
    requests = ReviewRequest.objects.filter(items__output__run=run).select_related("asker")
    with_counts = requests.annotate(output=Min("items__output"), count=Count("items")).prefetch_related("members")
    latest: QuerySet[Any] = with_counts.order_by("-created_at", "-pk")[:MOST]
    return [(request, request.output, request.count) for request in latest]


def _decisions_on(run: Run) -> "QuerySet[Decision]":
    on_results = Decision.objects.filter(output__run=run).select_related("member", "link__member", "link__made_by")
    return on_results.order_by("-created_at", "-pk")[:MOST]


def _comment_counts(run: Run) -> "QuerySet[Comment, Any]":
    """Return how many comments there are on each result, and on the whole run (None), with the time of the latest.
    Removed comments don't count, but what only they are about is listed as well."""
    is_there = Q(removed_at=None)
    grouped = Comment.objects.filter(run=run).values("output")
    with_counts = grouped.annotate(count=Count("pk", filter=is_there), latest=Max("created_at", filter=is_there))
    return with_counts.order_by("-latest").values_list("output", "count", "latest")


def _settled(run: Run) -> "QuerySet[CommentChange]":
    changes = CommentChange.objects.filter(comment__run=run, act__in=SETTLED).select_related("member", "comment")
    return changes.order_by("-created_at", "-pk")[:MOST]


def _moved(run: Run) -> "QuerySet[CommentChange, Any]":
    columns = ("act", "created_at", "member__name", "member__email", "comment__output")
    changes = CommentChange.objects.filter(comment__run=run, act__in=MOVED).values(*columns).annotate(count=Count("pk"))
    rows: QuerySet[CommentChange, Any] = changes.order_by("-created_at").values_list(*columns, "count")[:MOST]
    return rows


def _place_of(comment: Comment, places: dict[int, Place]) -> Place:
    label, url = places.get(comment.output_id or 0, NOWHERE)
    return label, f"{url}#comment-{comment.public_id}"
