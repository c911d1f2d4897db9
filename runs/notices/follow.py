"""Updates notices when what they are about changes: when comments are carried over, and when requests are answered or
closed."""

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from runs.models import Comment, Decision, Member, Mute, Notice, NoticeKind, Output, ReviewItem, ReviewRequest, Run
from runs.models.notice import NoticeQuerySet
from runs.notices import read_state

HOPELESS = (Output.Status.ERROR, Output.Status.CANCELLED)  # nobody can decide on results with these statuses


# --- Comments ---------------------------------------------------------------------------------------------------------
def on_comments_carried(source: Run, target: Run) -> None:
    """Point notices to the run and result that the comments were carried over to. A muted conversation stays muted."""
    there = Comment.objects.filter(pk=OuterRef("comment")).values("output")
    moved = Notice.objects.filter(run=source, comment__run=target)
    moved.update(run=target, output=Subquery(there))
    Mute.objects.filter(run=source, comment__run=target).update(run=target)


# --- Requests ---------------------------------------------------------------------------------------------------------
def on_decision_made(decision: Decision) -> None:
    """Mark the notice about a request as read for people who have nothing left to decide in that request. If several
    results were decided together, do this only once.

    When decisions end, the notices that were marked as read because of them become unread again for people who now have
    something to decide.
    """
    same = Decision.objects.filter(batch=decision.batch)
    if same.filter(pk__gt=decision.pk).exists():
        return
    notices = Notice.objects.filter(kind=NoticeKind.ASKED, request__items__output__in=same.values("output"))
    if decision.act == Decision.Act.DECIDE:
        for request in ReviewRequest.objects.filter(notices__in=notices.unread()).distinct():
            read_state.mark_read_for_all(_settled_notices(request, decision.member), decision.created_at)
    else:
        batches = Decision.objects.filter(ended_by__batch=decision.batch).values("batch")
        at = Decision.objects.filter(batch__in=batches).values("created_at")
        read_at_once = notices.filter(read_at__in=at).select_related("member").distinct()
        read_state.mark_unread([notice for notice in read_at_once if _waits(notice)])


def on_request_closed(request: ReviewRequest) -> None:
    """Mark the notices about a request as read for everyone who was asked."""
    read_state.mark_read_for_all(_about(request), request.closed_at or timezone.now())


def _about(request: ReviewRequest) -> NoticeQuerySet:
    return Notice.objects.filter(kind=NoticeKind.ASKED, request=request)


def _settled_notices(request: ReviewRequest, by: Member | None) -> NoticeQuerySet:
    """Return the notices of people who have nothing left to decide in the request now that `by` has decided: everyone's
    if the request is settled; if it isn't, only those of `by`, once they've given all their verdicts."""
    undecided = ReviewItem.objects.undecided().filter(request=request, output__run__deleted_at=None)
    if not undecided.exclude(output__status__in=HOPELESS).exists():
        return _about(request)
    if by is None or ReviewItem.objects.waiting_for(by).filter(request=request).exists():
        return Notice.objects.none()
    return _about(request).filter(member=by)


def _waits(notice: Notice) -> bool:
    return ReviewItem.objects.waiting_for(notice.member).filter(request=notice.request_id).exists()
