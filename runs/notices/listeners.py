"""Decides who gets notified about what: listens to `runs.events` and calls `create_notices.tell`."""

from datetime import datetime

from django.db.models import Q

from runs.models import (
    Comment,
    Decision,
    Incident,
    MailWhenReady,
    Member,
    Mute,
    Notice,
    NoticeKind,
    Output,
    OutputFile,
    ReviewItem,
    ReviewRequest,
    Run,
    StoredFile,
)
from runs.models.decisions import APPROVING_ROLES
from runs.models.messages import Message
from runs.notices import read_state
from runs.notices.create_notices import NewNotice, tell
from runs.notices.kinds import ENDS
from runs.words.moments import portal_day

ASKED_AT_MOST = 200  # if anyone may decide, notify at most this many people


# --- Comments ---------------------------------------------------------------------------------------------------------
def on_mentioned(comment: Comment, member: Member) -> None:
    tell([member], _about_comment(comment, NoticeKind.MENTION))


def on_comment_posted(comment: Comment) -> None:
    """Tell the people in the conversation about a reply, and the run's makers about any other comment. If a guest
    commented, also tell the person who made the link. People mentioned in the comment have already been told, so they
    aren't told again."""
    if comment.parent is not None:
        own = Q(pk=comment.parent_id) | Q(parent=comment.parent_id, removed_at=None)
        commented = Member.objects.filter(pk__in=Comment.objects.filter(own).values("member"))
        tell(commented, _about_comment(comment, NoticeKind.REPLY))
    elif comment.link is None:
        tell(_makers(comment.run), _about_comment(comment, NoticeKind.COMMENT))
    if comment.link is not None:
        tell({comment.link.member_id, *_makers(comment.run)}, _about_comment(comment, NoticeKind.GUEST))


def on_comment_changed(comment: Comment, _text_before: str) -> None:
    """Hide notices about a removed comment."""
    if Comment.objects.filter(pk=comment.pk, removed_at__isnull=False).exists():
        read_state.take_back(Notice.objects.filter(comment=comment))


def _about_comment(comment: Comment, kind: NoticeKind) -> NewNotice:
    return NewNotice(
        kind=kind,
        event=f"comment-{comment.pk}",
        run=comment.run,
        output=comment.output,
        comment=comment,
        actor=comment.member,
        guest_name=comment.guest_name,
    )


def _makers(run: Run) -> set[int]:
    """Return the run's owner and its maker, who may be the same person."""
    return {run.member_id, run.made_by_id or run.member_id}


# --- Decisions --------------------------------------------------------------------------------------------------------
def on_decision_made(decision: Decision) -> None:
    if decision.act == Decision.Act.DECIDE:
        _tell_of_decision(decision)
    elif decision.act == Decision.Act.SET_ASIDE:
        _set_aside(decision)
    else:
        _taken_back(decision)


def _tell_of_decision(decision: Decision) -> None:
    """Tell the run's makers, the people who asked for the decision and, if a guest decided, the person who made the
    link. If several results of a run were decided together, tell them only once."""
    same = Decision.objects.filter(batch=decision.batch, output__run=decision.output.run_id)
    if same.filter(pk__lt=decision.pk).exists():
        return
    run, link = decision.output.run, decision.link
    requests = ReviewRequest.objects.open().filter(items__output__in=same.values("output"))
    askers = requests.values_list("asker", flat=True)
    kind = NoticeKind.GUEST if decision.is_guest else NoticeKind.DECIDED
    tell({*_makers(run), *askers, *([link.member_id] if link is not None else [])}, _about_decision(decision, kind))


def _set_aside(decision: Decision) -> None:
    """Tell the run's makers, and the person who made the decision or, if that was a guest, the person who made the
    link."""
    target = decision.target
    if target is None:
        return
    whose = target.member_id or (target.link.member_id if target.link is not None else None)
    tell({*_makers(decision.output.run), *([whose] if whose else [])}, _about_decision(decision, NoticeKind.SET_ASIDE))


def _taken_back(decision: Decision) -> None:
    """Hide notices about a decision that was undone or withdrawn. If the decision was withdrawn, tell the people who
    have read their notice or got it by email; if it was undone, tell only those who got it by email.

    If other decisions that were made together with it still stand, hide nothing and tell everyone who has the notice.
    """
    target, run_id = decision.target, decision.output.run_id
    if target is None:
        return
    notices = Notice.objects.filter(event=_event(target, run_id), is_undone=False)
    rest = Decision.objects.standing().filter(batch=target.batch, output__run=run_id)
    still_stands = rest.exists()
    unknown = Q(mail__sent_at=None)
    if decision.act != Decision.Act.UNDO:
        unknown &= Q(read_at=None)
    recipients = list((notices if still_stands else notices.exclude(unknown)).values_list("member", flat=True))
    if not still_stands:
        read_state.take_back(notices)
    kind = NoticeKind.GUEST if decision.is_guest else NoticeKind.DECIDED
    tell(recipients, _about_decision(decision, kind))  # this also posts to the chat, even if `recipients` is empty


def _about_decision(decision: Decision, kind: NoticeKind) -> NewNotice:
    same = Decision.objects.filter(batch=decision.batch, output__run=decision.output.run_id)
    count = same.filter(verdict=decision.verdict, chosen=decision.chosen_id).count()
    return NewNotice(
        kind=kind,
        event=_event(decision, decision.output.run_id),
        run=decision.output.run,
        output=decision.output if count == 1 else None,
        decision=decision,
        actor=decision.member,
        guest_name=decision.guest_name,
        results=count if count > 1 else 0,
    )


def _event(decision: Decision, run_id: int) -> str:
    return f"decision-{decision.batch}-{run_id}"


# --- Requests ---------------------------------------------------------------------------------------------------------
def on_review_asked(request: ReviewRequest) -> None:
    """Tell the people who were asked; if this is a reminder, only those who still owe a decision."""
    runs = list(Run.objects.filter(outputs__review_items__request=request).distinct()[:2])
    if not runs:
        return
    outputs = list(Output.objects.filter(review_items__request=request)[:2])
    about = NewNotice(
        kind=NoticeKind.ASKED,
        event=f"asked-{request.pk}{_reminder(request.reminded_at)}",
        run=runs[0] if len(runs) == 1 else None,
        output=outputs[0] if len(outputs) == 1 else None,
        request=request,
        actor=request.asker,
        results=request.items.count() if len(outputs) > 1 else 0,
    )
    tell(_deciders(request), about)


def _reminder(at: datetime | None) -> str:
    return f"-{at:%Y%m%d%H%M%S}" if at is not None else ""


def _deciders(request: ReviewRequest) -> list[Member]:
    if request.audience == ReviewRequest.Audience.GUESTS:
        return []
    if request.audience == ReviewRequest.Audience.NAMED:
        deciders = list(request.members.all())
    else:
        # Makers may be allowed to decide too, but there may be too many of them to notify.
        approvers = Member.objects.filter(is_active=True, role__in=APPROVING_ROLES)
        deciders = list(approvers.order_by("pk")[:ASKED_AT_MOST])
    if request.reminded_at is None:
        return deciders
    return [who for who in deciders if ReviewItem.objects.waiting_for(who).filter(request=request).exists()]


# --- Runs -------------------------------------------------------------------------------------------------------------
def on_run_ended(run: Run) -> None:
    """Tell the owner, and everyone who wanted an email, how the run ended. Nobody is told about examples, which the
    portal made by itself."""
    if run.is_example:
        return
    is_ready = run.status == Run.Status.COMPLETED
    wanting = MailWhenReady.objects.filter(run=run).values_list("member", flat=True)
    about = NewNotice(
        kind=NoticeKind.READY if is_ready else NoticeKind.FAILED,
        event=f"run-{run.pk}-ended",
        run=run,
        actor=run.cancelled_by if run.status == Run.Status.CANCELLED else None,
    )
    tell({run.member_id, *wanting}, about)


def on_output_saved(output_file: OutputFile) -> None:
    """Make open pages reload their notices, so that they show the run's picture."""
    _show_again(Q(run__outputs__files=output_file))


def on_file_inspected(stored: StoredFile) -> None:
    """Do the same as `on_output_saved`, for files whose thumbnails are made later."""
    _show_again(Q(run__outputs__files__file=stored))


def _show_again(condition: Q) -> None:
    ended = Notice.objects.unread().filter(condition, kind__in=ENDS)
    read_state.show_again(ended.values_list("member", flat=True).distinct())


# --- The portal, and people who leave ---------------------------------------------------------------------------------
def on_incident_recorded(incident: Incident) -> None:
    """Tell admins about problems to fix: about silent workers at most once a day, but about dead addresses, channels
    that were turned off and paused apps every time."""
    if incident.kind == "worker":
        tell_admins("worker", incident.text)
    elif incident.kind in ("mail", "chat", "app"):
        tell_admins(f"{incident.kind}-{incident.pk}", incident.text)


def tell_admins(topic: str, message: Message) -> int:
    """Tell all admins what is wrong, at most once a day for each topic."""
    admins = Member.objects.filter(is_active=True, role=Member.Role.ADMIN)
    event = f"portal-{topic}-{portal_day():%Y%m%d}"
    return tell(admins, NewNotice(kind=NoticeKind.PORTAL, event=event, message=message))


def on_member_left(member: Member) -> None:
    """Delete the notices and mutes of someone whose account was closed."""
    Notice.objects.filter(member=member).delete()
    Mute.objects.filter(member=member).delete()
    MailWhenReady.objects.filter(member=member).delete()
    Member.objects.filter(pk=member.pk).update(unread=0, news_at=None)
