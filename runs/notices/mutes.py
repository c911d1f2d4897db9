"""Runs and conversations that a member has muted. Muting doesn't remove existing notices."""

from django.db.models import Exists, OuterRef, QuerySet

from runs.models import Comment, Member, Mute, Run
from runs.models.run import RunQuerySet


def mute(member: Member, run: Run, comment: Comment | None = None) -> Mute:
    """Stop notifying `member` about `run`, or just about the conversation that `comment` belongs to."""
    row, _is_new = Mute.objects.get_or_create(member=member, run=run, comment=top_of(comment))
    return row


def unmute(member: Member, run: Run, comment: Comment | None = None) -> bool:
    """Undo `mute`; return False if nothing was muted."""
    return Mute.objects.filter(member=member, run=run, comment=top_of(comment)).delete()[0] > 0


def with_mute(runs: RunQuerySet, member: Member) -> RunQuerySet:
    """Add `is_muted` to `runs`: whether `member` has muted the run."""
    return runs.annotate(is_muted=Exists(Mute.objects.filter(member=member, run=OuterRef("pk"), comment=None)))


def muted_by(member: Member) -> QuerySet[Mute]:
    """Return what `member` has muted and can still see, most recently muted first."""
    visible = Run.objects.visible_to(member)
    return Mute.objects.filter(member=member, run__in=visible).select_related("run", "comment").order_by("-pk")


def top_of(comment: Comment | None) -> Comment | None:
    """Return the comment that starts the conversation."""
    return comment.parent or comment if comment is not None else None
