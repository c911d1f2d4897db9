"""Carry open comments over to a later version of a result, or to its new file, and move them back.

A comment that was carried over belongs to the new result, along with its replies, its mentions and its place in the
file, but the portal remembers where it was written. Nobody is notified again.

Comments never move from a shared run to a private one, where fewer people could see them.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from runs import events
from runs.audit.record import record
from runs.models import Comment, CommentChange, Member, Output, Run, Verb
from runs.models.comments import CommentQuerySet
from runs.review import overall_verdict
from runs.review.comment_text import CommentRefusedError

AT_ONCE = 500  # carry over at most this many comments at once


@transaction.atomic
def carry_over(output: Output, by: Member, ids: Collection[str] = ()) -> int:
    """Carry open comments on earlier versions and files over to `output`: those in `ids` (public ids), or all of
    them if it is empty.

    Return how many were moved; those already carried over don't count. Raises `CommentRefusedError`.
    """
    if not output.run.is_visible_to(by) or output.status != Output.Status.COMPLETED:
        raise CommentRefusedError("not-allowed", _("You can't see this run any more."))
    overall_verdict.lock_runs(
        [output, *(comment.output for comment in _open_before(output, by, ids) if comment.output)]
    )
    output.refresh_from_db(fields=["content_hash"])
    tops = list(_open_before(output, by, ids))
    if any(is_narrowed(comment.run, output.run) for comment in tops):
        raise CommentRefusedError("not-shared", share_first_words(output))
    for source in {comment.output for comment in tops if comment.output is not None}:
        _move([comment for comment in tops if comment.output == source], source, output)
    _record(tops, CommentChange.Act.CARRIED, by, timezone.now())
    if tops:
        record(Verb.COMMENT_CARRIED, output, changes={"comments": (0, len(tops))})
    return len(tops)


@transaction.atomic
def move_back(comment: Comment, by: Member) -> bool:
    """Move a comment back to the result it was written on; return False if it is already there.

    Raises `CommentRefusedError`.
    """
    source, origin = comment.output, comment.carried_from
    if source is None or origin is None:
        return False
    if not source.run.is_visible_to(by) or not origin.run.is_visible_to(by):
        raise CommentRefusedError("not-allowed", _("You can't see this run any more."))
    if is_narrowed(source.run, origin.run):
        raise CommentRefusedError("not-shared", share_first_words(origin))
    overall_verdict.lock_runs([source, origin])
    if not Comment.objects.filter(pk=comment.pk, parent=None, output=source, carried_from=origin).exists():
        return False
    _return([comment], source, origin)
    _record([comment], CommentChange.Act.RETURNED, by, timezone.now())
    record(Verb.COMMENT_MOVED_BACK, origin)
    return True


@transaction.atomic
def before_deletion(run: Run) -> None:
    """Before `run` is deleted from the bin, move back comments that were carried over to its results from other
    runs."""
    carried = Comment.objects.filter(run=run, parent=None, carried_from__isnull=False).exclude(carried_from__run=run)
    comments = list(carried.select_related("output__run", "carried_from__run"))
    overall_verdict.lock_runs(
        [one for comment in comments for one in (comment.output, comment.carried_from) if one is not None]
    )
    if not Run.objects.filter(pk=run.pk, deleted_at__isnull=False).exists():
        return  # the run was restored in the meantime
    for comment in comments:
        if comment.output is not None and comment.carried_from is not None:
            _return([comment], comment.output, comment.carried_from)


def is_narrowed(source: Run, target: Run) -> bool:
    """Return whether moving a comment from `source` to `target` would hide it from the team."""
    return source.shared_at is not None and target.shared_at is None


def share_first_words(output: Output) -> str:
    """Return a sentence saying that `output` must be shared before a comment can be moved to it."""
    words = _("Share version %(number)s with the team first. Otherwise, people won't see their own comments there.")
    return words % {"number": output.number}


def _open_before(output: Output, by: Member, ids: Collection[str]) -> CommentQuerySet:
    """Return open comments on earlier versions of `output`, and those on earlier content of `output` itself."""
    line = Output.objects.filter(Q(pk=output.first_id) | Q(line=output.first_id)).values("pk")
    still_open = Comment.objects.filter(output__in=line, parent=None, resolved_at=None, removed_at=None)
    visible = still_open.visible_to(by)
    before = Q(output__number__lt=output.number)
    if output.content_hash:
        before |= Q(output=output) & ~Q(content_hash__in=["", output.content_hash])
    condition = Q(public_id__in=list(ids)[:AT_ONCE]) if ids else Q()
    return visible.filter(before, condition).select_related("run", "output__run").order_by("pk")[:AT_ONCE]


def _move(tops: Iterable[Comment], source: Output, target: Output) -> None:
    rows = _threads(tops)
    _count(rows, source, target)
    rows.update(
        carried_from=Coalesce(F("carried_from"), F("output")),
        written_hash=Case(When(carried_from=None, then=F("content_hash")), default=F("written_hash")),
        output=target,
        run=target.run,
        content_hash=target.content_hash,
    )
    events.comments_carried.send(source.run, target.run)


def _return(tops: Iterable[Comment], source: Output, origin: Output) -> None:
    rows = _threads(tops)
    _count(rows, source, origin)
    was_here = When(carried_from=origin, then=F("written_hash"))
    rows.update(
        content_hash=Case(was_here, default=Value(origin.content_hash)),  # replies may come from another version
        carried_from=None,
        written_hash="",
        output=origin,
        run=origin.run,
    )
    events.comments_carried.send(source.run, origin.run)


def _threads(tops: Iterable[Comment]) -> CommentQuerySet:
    """Return the comments in `tops` and their replies."""
    keys = [comment.pk for comment in tops]
    return Comment.objects.filter(Q(pk__in=keys) | Q(parent__in=keys))


def _count(rows: CommentQuerySet, source: Output, target: Output) -> None:
    """Update the comment counts on cards and pages for comments that are about to move."""
    moved = rows.filter(removed_at=None).count()
    for output, step in ((source, -moved), (target, moved)):
        Run.objects.filter(pk=output.run_id).update(comments_total=F("comments_total") + step, version=F("version") + 1)
        Output.objects.filter(pk=output.pk).update(comments_total=F("comments_total") + step)


def _record(tops: Iterable[Comment], act: CommentChange.Act, by: Member, now: datetime) -> None:
    CommentChange.objects.bulk_create(
        CommentChange(comment=comment, act=act, member=by, created_at=now) for comment in tops
    )
