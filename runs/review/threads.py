"""Comments as pages show them: the latest threads and, separately, those on earlier versions and files.

A page needs two queries: one for the threads, and one for the people they mention.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import (
    BooleanField,
    Case,
    Count,
    F,
    Prefetch,
    Q,
    Subquery,
    Sum,
    Value,
    When,
    Window,
    prefetch_related_objects,
)
from django.db.models.functions import Coalesce, DenseRank

from runs.models import Comment, Member, Mention, Output, Run
from runs.models.comments import CommentQuerySet
from runs.models.joined import Among

LATEST = 25  # number of threads shown at first; each adds about a millisecond to a page
LATEST_OLDER = 10
MOST = 500  # maximum number of current threads, and of older ones, when someone asks to see all
PEOPLE = [f"{who}__{name}" for who in ("member", "resolved_by") for name in ("name", "email")]
PLACES = [f"{place}__{name}" for place in ("output", "carried_from") for name in ("public_id", "number", "run")]
RUNS = [f"carried_from__run__{name}" for name in ("member", "made_by", "shared_at", "deleted_at")]
COLUMNS = [*(f.name for f in Comment._meta.concrete_fields), *PEOPLE, *PLACES, *RUNS]


@dataclass(frozen=True)
class Thread:
    """A comment with its replies. `number` is the number on its dot on the picture, or 0 if it has no dot."""

    comment: Comment
    replies: list[Comment]
    number: int = 0
    is_shared: bool = True  # whether the team can see its run

    @property
    def is_open(self) -> bool:
        return self.comment.resolved_at is None and not self.comment.is_removed


@dataclass(frozen=True)
class Threads:
    """Threads, oldest first. `older` has those on earlier versions or an earlier file of the result, and those that
    were carried over from this result to another. `hidden` and `older_hidden` say how many earlier threads aren't
    shown."""

    threads: list[Thread]
    older: list[Thread] = field(default_factory=list)
    hidden: int = 0
    older_hidden: int = 0


def threads_on(output: Output, viewer: Member, file_position: int = 0, *, most: int = LATEST) -> Threads:
    """Return comments on a result and its earlier versions that `viewer` may see: up to `most` threads on its current
    content and up to `most` older ones. By default, only `LATEST_OLDER` of the older ones are included.

    Only dots on the file at `file_position` are numbered.
    """
    line = Output.objects.filter(Q(pk=output.first_id) | Q(line=output.first_id)).values("pk")
    comments = Comment.objects.visible_to(viewer).filter(Among(F("output_id"), Subquery(line)))
    was_here = Q(parent=None, carried_from=output) | Q(parent__carried_from=output)
    in_view = comments.filter(Q(output=output) | Q(output__number__lt=output.number) | was_here)
    is_here = Q(output=output)
    if output.content_hash:
        is_here &= Q(top_hash__in=["", output.content_hash])
    has_dot = Q(parent=None, spot_x__isnull=False, removed_at=None, file_position=file_position)
    with_hash = in_view.annotate(top_hash=Coalesce("parent__content_hash", "content_hash"))
    return _threads(list(_latest(with_hash, is_here, has_dot, most)), most)


def threads_on_run(run: Run, *, most: int = LATEST) -> Threads:
    """Return the comments on the whole run."""
    on_run = _latest(Comment.objects.filter(run=run, output=None), Q(run=run), Q(pk=None), most)
    return _threads(list(on_run), most)


def _threads(rows: Sequence[Comment], most: int) -> Threads:
    """Return the threads in `rows`, which were fetched with `_latest`."""
    if rows:
        prefetch_related_objects(rows, Prefetch("mention_rows", Mention.objects.select_related("member")))
    replies: dict[int, list[Comment]] = {}
    for row in rows:
        if row.parent_id is not None:
            replies.setdefault(row.parent_id, []).append(row)
    tops = [row for row in rows if row.parent_id is None]
    here = [row for row in tops if _of(row, "is_here")]
    older = [row for row in tops if not _of(row, "is_here")][-most if most > LATEST else -LATEST_OLDER :]
    return Threads(
        threads=[Thread(row, replies.get(row.pk, []), _of(row, "dots") if _of(row, "has_dot") else 0) for row in here],
        older=[Thread(row, replies.get(row.pk, []), is_shared=bool(_of(row, "is_shared"))) for row in older],
        hidden=_hidden(here),
        older_hidden=_hidden(older),
    )


def _latest(comments: CommentQuerySet, is_here: Q, has_dot: Q, most: int) -> CommentQuerySet:
    """Return the comments in the latest threads on the current content and in the latest older threads, oldest
    first."""
    with_places = comments.annotate(
        top=Coalesce("parent", "pk"),
        top_at=Coalesce("parent__created_at", "created_at"),
        is_here=Case(When(is_here, then=Value(True)), default=Value(False), output_field=BooleanField()),
        has_dot=Case(When(has_dot, then=Value(1)), default=Value(0)),
        is_shared=Case(When(run__shared_at=None, then=Value(False)), default=Value(True), output_field=BooleanField()),
    )
    newest_first = [F("top_at").desc(), F("top").desc()]
    with_counts = with_places.annotate(
        rank=Window(DenseRank(), partition_by=["is_here"], order_by=newest_first),
        total=Window(Count("pk", filter=Q(parent=None)), partition_by=["is_here"]),
        dots=Window(Sum("has_dot"), partition_by=["is_here"], order_by=["top_at", "top"]),
    )
    latest = with_counts.filter(rank__lte=most).order_by("top_at", "top", "created_at", "pk")
    return latest.select_related("member", "resolved_by", "output", "carried_from__run").only(*COLUMNS)


def _hidden(comments: Sequence[Comment]) -> int:
    return _of(comments[0], "total") - len(comments) if comments else 0


def _of(comment: Comment, name: str) -> int:
    """Return the value of the annotation `name`, which the query added to the comment."""
    return int(getattr(comment, name))
