"""How people are emailed about each kind of notice: not at all, right away, or once a day.

All notices appear in the portal. If a member has no row for a kind, its default applies (`kinds.py`). Reminders of due
decisions aren't notices, but people's choice about them is stored in the same table, with the "kind" `REMINDER`.
Members get reminders unless their row for that kind says `Way.OFF`.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import Exists, QuerySet
from django.utils import timezone

from runs.audit.record import differences, record
from runs.models import MailWhenReady, Member, Notice, NoticeChoice, NoticeKind, ReviewRules, Run, Verb, Way
from runs.notices.kinds import ENDS, KINDS
from runs.team import mail

GATHER = timedelta(minutes=2)  # how long an email waits for more events to include
REMINDER = "reminder"


def ways_of(members: Collection[int], kind: str, run: Run | None = None) -> dict[int, str]:
    """Return how each of `members` is emailed about `kind`, as a dict from primary keys to `Way` values.

    People who asked for an email about `run` get one as soon as it ends. Without a mail server, nobody gets emails.
    People who have left, or whose address no longer works, never get emails.
    """
    ways: dict[int, str] = dict.fromkeys(members, Way.OFF)
    if not members or not mail.is_set_up():
        return ways
    reachable = Member.objects.filter(pk__in=members, is_active=True, mail_dead_at=None)
    choices = dict(NoticeChoice.objects.filter(member__in=members, kind=kind).values_list("member", "way"))
    askers = MailWhenReady.objects.filter(member__in=members, run=run).values_list("member", flat=True)
    when_ready = set(askers) if run is not None and kind in ENDS else set()
    for pk in reachable.values_list("pk", flat=True):
        ways[pk] = Way.ONCE if pk in when_ready else choices.get(pk, KINDS[kind].default_way)
    return ways


def chosen_by(member: Member) -> dict[str, str]:
    """Return how `member` is emailed about each kind they can get, and about due decisions (`REMINDER`)."""
    choices = dict(NoticeChoice.objects.filter(member=member).values_list("kind", "way"))
    ways = {kind.value: choices.get(kind, KINDS[kind].default_way.value) for kind in NoticeKind.concerning(member)}
    return ways | {REMINDER: choices.get(REMINDER, Way.DAILY.value)}


def reminded() -> QuerySet[Member]:
    """Return the people who may decide and want email reminders of due decisions."""
    unwilling = NoticeChoice.objects.filter(kind=REMINDER, way=Way.OFF).values("member")
    return ReviewRules.who_may_decide().filter(mail_dead_at=None).exclude(pk__in=unwilling)


@transaction.atomic
def choose(member: Member, ways: Mapping[str, str], hour: int | None = None) -> None:
    """Set how `member` is emailed about each kind in `ways`, and the `hour` when daily emails are sent. This also
    applies to notices that are still waiting to be emailed."""
    before = {**chosen_by(member), "mail_hour": member.mail_hour}
    after: dict[str, Any] = {kind: str(way) for kind, way in ways.items()}
    if hour is not None:
        after["mail_hour"] = hour
        Member.objects.filter(pk=member.pk).update(mail_hour=hour)
    if changes := differences(before, after):
        record(Verb.PERSON_CHANGED, member, changes=changes)
    for kind, way in ways.items():
        NoticeChoice.objects.update_or_create(member=member, kind=kind, defaults={"way": way})
        _move_waiting(member, kind, way)


def _move_waiting(member: Member, kind: str, way: str) -> None:
    waiting = Notice.objects.filter(member=member, kind=kind, mail=None).exclude(way__in=(Way.OFF, way))
    if kind in ENDS:
        waiting = waiting.exclude(run__in=MailWhenReady.objects.filter(member=member).values("run"))
    waiting.update(way=way, mail_due_at=timezone.now() + GATHER if way == Way.ONCE else None)


def turn_off(member: Member, kinds: Iterable[str]) -> None:
    """Stop emailing `member` about `kinds`."""
    choose(member, dict.fromkeys(kinds, Way.OFF))


# --- "Email me when it's ready" ---------------------------------------------------------------------------------------
class MailOffer(StrEnum):
    """What a run's page offers: nothing, an email when the run is ready (`OPEN`), or not to send it after all
    (`ASKED`)."""

    NONE = ""
    OPEN = "open"
    ASKED = "asked"


def mail_offer(member: Member, run: Run) -> MailOffer:
    """Return what the page of `run` should offer `member`, who can see it. For their own runs, that's nothing if they
    get an email about every one anyway. Takes at most one query."""
    if not (run.is_active and mail.is_set_up() and member.mail_dead_at is None):
        return MailOffer.NONE
    always = Exists(NoticeChoice.objects.filter(member=member, kind=NoticeKind.READY, way=Way.ONCE))
    has_row = Exists(MailWhenReady.objects.filter(member=member, run=run))
    gets_all, has_asked = Member.objects.values_list(always, has_row).get(pk=member.pk)
    return MailOffer.NONE if gets_all and run.belongs_to(member) else MailOffer.ASKED if has_asked else MailOffer.OPEN


def ask(member: Member, run: Run, *, is_wanted: bool) -> None:
    """Record whether `member` wants an email when `run` is ready."""
    if is_wanted:
        MailWhenReady.objects.get_or_create(member=member, run=run)
    else:
        MailWhenReady.objects.filter(member=member, run=run).delete()
