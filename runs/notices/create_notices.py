"""Creates notices: one for each event and person, in the event's transaction.

Nobody is notified about what they did themselves, about a run they can't see, or about anything they muted.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from runs.models import Comment, Decision, Member, Mute, Notice, Output, ReviewRequest, Run, Way
from runs.models.messages import Message
from runs.notices import chat, choices, read_state


@dataclass(frozen=True)
class NewNotice:
    """Something that happened, identified by `event`: people who already have a notice with the same `event` aren't
    notified again."""

    kind: str
    event: str
    run: Run | None = None
    output: Output | None = None
    comment: Comment | None = None
    decision: Decision | None = None
    request: ReviewRequest | None = None
    actor: Member | None = None
    guest_name: str = ""
    message: Message = field(default_factory=Message)
    results: int = 0  # the number of results it's about, if more than one


@transaction.atomic
def tell(members: Iterable[Member | int], about: NewNotice) -> int:
    """Notify each of `members` once, and post to the team's channels; return how many of them got a new notice."""
    pks = {member if isinstance(member, int) else member.pk for member in members}
    recipients = _make(_concerned(pks, about), about)
    if recipients:
        read_state.count_more(recipients)
    chat.post_event(about)
    return len(recipients)


def _concerned(members: Collection[int], about: NewNotice) -> list[int]:
    """Return the `members` to notify: active ones, other than the actor, who can see the run, haven't muted it, and
    haven't been notified yet."""
    active = Member.objects.filter(pk__in=members, is_active=True)
    if about.actor is not None:
        active = active.exclude(pk=about.actor.pk)
    seeing = [member.pk for member in active if about.run is None or about.run.is_visible_to(member)]
    if not seeing:
        return []
    notified = Notice.objects.filter(member__in=seeing, event=about.event).values_list("member", flat=True)
    silent = {*notified, *_muting(seeing, about)}
    return sorted(pk for pk in seeing if pk not in silent)


def _muting(members: Collection[int], about: NewNotice) -> set[int]:
    """Return the `members` who muted the run or the conversation."""
    if about.run is None:
        return set()
    muted = Q(comment=None)
    if about.comment is not None:
        muted |= Q(comment=about.comment.parent_id or about.comment.pk)
    return set(Mute.objects.filter(muted, member__in=members, run=about.run).values_list("member", flat=True))


def _make(members: Collection[int], about: NewNotice) -> list[int]:
    """Save the notices; return the members who didn't have one yet. If two tasks try at the same time, only one creates
    them."""
    if not members:
        return []
    now, ways = timezone.now(), choices.ways_of(members, about.kind, about.run)
    notices = [
        Notice(
            member_id=pk,
            kind=about.kind,
            event=about.event,
            run=about.run,
            output=about.output,
            comment=about.comment,
            decision=about.decision,
            request=about.request,
            message=about.message,
            actor=about.actor,
            guest_name=about.guest_name,
            results=about.results,
            created_at=now,
            way=ways[pk],
            mail_due_at=now + choices.GATHER if ways[pk] == Way.ONCE else None,
        )
        for pk in members
    ]
    Notice.objects.bulk_create(notices, ignore_conflicts=True)
    new = Notice.objects.filter(public_id__in=[notice.public_id for notice in notices])
    return list(new.values_list("member", flat=True))
