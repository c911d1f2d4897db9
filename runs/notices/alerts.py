"""Warns people who are close to their spending limit, and warns admins about the account's spending. Never blocks
anyone.

The worker's pulse checks whether an alert is due. The monthly totals also store the last alert that was sent about
them, so that no alert is sent twice.
"""

from collections.abc import Iterator
from datetime import date, datetime

from django.db import transaction
from django.utils import timezone

from runs.audit.record import record
from runs.connection.status import lamina_status
from runs.models import Member, MemberLimit, MonthTotal, Notice, NoticeKind, SpendingLimits, Verb
from runs.models.messages import Message, Value
from runs.models.spending import day_of, month_of
from runs.notices.create_notices import NewNotice, tell
from runs.notices.listeners import tell_admins
from runs.spending.account import spent_lately
from runs.spending.limits import allowance_of
from runs.words.credits import to_hundredths

STEPS = (100, 80)  # percent of the limit


def look(now: datetime | None = None) -> None:
    """Alert people who are close to their limit or have reached it, and alert admins about the account's spending."""
    now = now or timezone.now()
    rules = SpendingLimits.current()
    for total, limit, step in list(_news(rules, now)):
        _tell_of_limit(total, limit, step)
    _look_at_account(rules, now)


def _news(rules: SpendingLimits, now: datetime) -> Iterator[tuple[MonthTotal, int, int]]:
    """Yield this month's totals that are due an alert, each with its limit and the step it has reached."""
    totals = MonthTotal.objects.filter(month=month_of(now), used__gt=0, told__lt=STEPS[0])
    for total in totals.select_related("member__spending_limit"):
        limit = _limit(total, rules, day_of(now))
        if limit is not None and (step := _step(total.used, limit)) > total.told:
            yield total, limit, step


def _limit(total: MonthTotal, rules: SpendingLimits, on: date) -> int | None:
    if total.member is None:
        return rules.portal_hundredths
    own = getattr(total.member, "spending_limit", None) or MemberLimit(member=total.member)
    return own.limit(rules.default_hundredths, on)


def _step(used: int, limit: int) -> int:
    """Return the highest of `STEPS` that `used` has reached; 0 if it hasn't reached any."""
    return next((step for step in STEPS if used * 100 >= limit * step), 0)


@transaction.atomic
def _tell_of_limit(total: MonthTotal, limit: int, step: int) -> None:
    """Tell the member about their own limit, and also tell the admins once it is reached. Alerts about the portal's
    limit go only to admins. If two workers try this at the same time, only one of them sends the alert."""
    if not MonthTotal.objects.filter(pk=total.pk, told=total.told).update(told=step):
        return
    event = f"limit-{step}-{total.month:%Y%m}"
    values: dict[str, Value] = {
        "used_credits": total.used,
        "limit_credits": limit,
        "of_month": f"{total.month:%Y-%m}",
    }
    if total.member is None:
        message = Message("portal_limit_reached" if step == STEPS[0] else "portal_limit_near", values)
        tell_all_admins(f"portal-{event}", message)
        record(Verb.ALERTED, None, label=f"{step}%")
        return
    who = {"name": total.member.display_name, "member": total.member.public_id}
    message = Message("limit_reached" if step == STEPS[0] else "limit_near", values)
    if step == STEPS[0] and total.member.is_admin:
        message = Message("limit_reached_admin", values | who)  # admins can raise their limit themselves
    tell([total.member], NewNotice(kind=NoticeKind.LIMIT, event=event, message=message))
    record(Verb.ALERTED, total.member, label=f"{total.member.display_name}: {step}%")
    if step == STEPS[0]:
        message = Message("limit_reached_by", values | who)
        tell_all_admins(f"{event}-{total.member.pk}", message, actor=total.member)


def tell_all_admins(event: str, message: Message, actor: Member | None = None) -> int:
    """Tell each admin about `event`, but only once. Return how many hadn't been told before."""
    admins = Member.objects.filter(is_active=True, role=Member.Role.ADMIN)
    return tell(admins, NewNotice(kind=NoticeKind.PORTAL, event=event, message=message, actor=actor))


@transaction.atomic
def ask_for_more(member: Member) -> bool:
    """Tell admins, at most once a day, that `member` wants a higher limit; return whether any of them hadn't been told
    yet."""
    now = timezone.now()
    left = allowance_of(member, now)
    if left.limit is None:
        return False
    values: dict[str, Value] = {
        "name": member.display_name,
        "member": member.public_id,
        "used_credits": left.used,
        "limit_credits": left.limit,
        "of_month": f"{month_of(now):%Y-%m}",
    }
    event = f"more-{member.pk}-{day_of(now):%Y%m%d}"
    is_told = tell_all_admins(event, Message("limit_asked", values), actor=member) > 0
    if is_told:
        record(Verb.PERSON_ASKED_FOR_MORE, member)
    return is_told


def has_asked(member: Member) -> bool:
    """Return whether admins have already been told today that `member` wants a higher limit."""
    event = f"more-{member.pk}-{day_of(timezone.now()):%Y%m%d}"
    return Notice.objects.filter(member__is_active=True, member__role=Member.Role.ADMIN, event=event).exists()


def _look_at_account(rules: SpendingLimits, now: datetime) -> None:
    """Tell admins if the account is spending a lot or running low, at most once a day for each."""
    if rules.day_hundredths is not None and (spent := spent_lately(now)) >= max(1, rules.day_hundredths):
        values: dict[str, Value] = {"spent_credits": spent, "limit_credits": rules.day_hundredths}
        _alert("account-day", Message("account_day", values))
    left = lamina_status().balance_left
    if rules.left_credits is not None and left is not None and left <= rules.left_credits:
        _alert("account-left", Message("account_left", {"left_credits": to_hundredths(left)}))


@transaction.atomic
def _alert(topic: str, message: Message) -> None:
    if tell_admins(topic, message):
        record(Verb.ALERTED, None, label=topic)
