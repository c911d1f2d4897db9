"""Charge for runs: reserved when Run is pressed, kept once Lamina has started the run, released if it certainly hasn't.

Each change of a charge is a conditional UPDATE, and the sums move in the same transaction. Repeating one changes
nothing. Rows are locked in one order: the run, its charge, the sum, the member's total, and last the portal's, since
everyone who presses Run waits for it.
"""

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from runs.models import Charge, Member, MonthTotal, Run, SpendingSum
from runs.models.spending import month_of
from runs.spending.estimates import Estimate, estimate
from runs.spending.left import Left, left_for
from runs.spending.limit_words import beyond_limit, used_at_most
from runs.words.errors import UserFacingError

State = Charge.State
JUST_REACHED = gettext_noop("The limit for this month has just been reached.")


class LimitReached(UserFacingError):
    """Raised when a run would exceed a limit, or when its cost is unknown and that isn't allowed."""


def reserve(run: Run, estimated: Estimate, now: datetime) -> Charge:
    """Charge for `run`, which was just created, in the caller's transaction. Raises `LimitReached`; the caller must
    then roll back."""
    cost, left = estimated.hundredths, left_for(run.member, now)
    if cost is None and not left.allows_unknown:
        raise LimitReached(beyond_limit(run.member, left, cost))
    charge = Charge.objects.create(
        run=run,
        member=run.member,
        member_name=run.member.display_name,
        app=run.app,
        app_name=run.app.name,
        kind=first_kind(run),
        month=month_of(now),
        hundredths=cost or 0,
        is_unknown=cost is None,
        source=estimated.source,
        made=estimated.made,
        total=estimated.total,
        pressed_at=now,
    )
    _count(charge, 1)
    _use(run.member, cost, left, now)
    return charge


@transaction.atomic
def keep(run: Run) -> None:
    """Keep the charge for `run`: Lamina has started it, or we can't be sure that it hasn't."""
    charge = Charge.objects.filter(run=run, state=State.RESERVED).first()
    if charge is not None and _move(charge, State.KEPT):
        _sum_of(charge).update(reserved=F("reserved") - charge.hundredths)


@transaction.atomic
def release(run: Run) -> None:
    """Release what was reserved for `run`, since it certainly never started. A kept charge stays."""
    charge = Charge.objects.filter(run=run, state=State.RESERVED).first()
    if charge is not None and _move(charge, State.RELEASED):
        _count(charge, -1)
        for member in (charge.member_id, None):
            MonthTotal.objects.filter(member=member, month=charge.month).update(used=F("used") - charge.hundredths)


@transaction.atomic
def press_again(run: Run, by: Member, now: datetime) -> None:
    """Let `by` resend the doubtful start of `run`. Raises `LimitReached` if more than the limit has been used already;
    the limit is that of the person who pays for the first attempt.

    The run is charged once, but for good: the first attempt may have started without anyone being able to tell.
    """
    estimated = estimate(run.app, run.schema, run.wanted_outputs)
    charge = Charge.objects.select_related("member").filter(run=run).first()
    if charge is None:
        reserve(run, estimated, now)
    elif beyond_limit(by, left := left_for(charge.member, now), 0):
        raise LimitReached(beyond_limit(by, left, estimated.hundredths, payer=charge.member))
    keep(run)


def first_kind(run: Run) -> str:
    """Return the kind of the first result that the app of `run` makes, whichever results were requested."""
    return str(run.schema.outputs[0]["type"])[:50] if run.schema.outputs else ""


def _use(member: Member, cost: int | None, left: Left, now: datetime) -> None:
    """Add `cost` (None if unknown) to this month's use, if the limits leave room for it."""
    month = month_of(now)
    for member_id, limit in ((member.pk, left.limit), (None, left.portal_limit)):
        if _add(member_id, month, cost, limit):
            continue
        # Either the limit is reached, or this is the first press of the month.
        MonthTotal.objects.bulk_create([MonthTotal(member_id=member_id, month=month)], ignore_conflicts=True)
        if not _add(member_id, month, cost, limit):
            raise LimitReached(beyond_limit(member, left_for(member, now), cost) or _(JUST_REACHED))


def _add(member_id: int | None, month: date, cost: int | None, limit: int | None) -> bool:
    """Add `cost` to a total in one UPDATE; return False if the total doesn't exist or leaves no room."""
    total = MonthTotal.objects.filter(member=member_id, month=month)
    if limit is not None:
        total = total.filter(used__lte=used_at_most(limit, cost))
    return total.update(used=F("used") + (cost or 0)) == 1


def _move(charge: Charge, state: Charge.State) -> bool:
    """Change a reserved charge; return False if another process was faster."""
    return Charge.objects.filter(pk=charge.pk, state=State.RESERVED).update(state=state) == 1


def _count(charge: Charge, sign: int) -> None:
    """Add a reserved charge to its sum; with `sign` -1, subtract it."""
    amount, unknown = sign * charge.hundredths, sign * int(charge.is_unknown)
    changes = {
        "hundredths": F("hundredths") + amount,
        "reserved": F("reserved") + amount,
        "count": F("count") + sign,
        "unknown_count": F("unknown_count") + unknown,
    }
    if not _sum_of(charge).update(**changes):
        SpendingSum.objects.bulk_create([SpendingSum(**_place_of(charge))], ignore_conflicts=True)
        _sum_of(charge).update(**changes)


def _sum_of(charge: Charge) -> QuerySet[SpendingSum]:
    return SpendingSum.objects.filter(**_place_of(charge))


def _place_of(charge: Charge) -> dict[str, Any]:
    return {"month": charge.month, "member_id": charge.member_id, "app_id": charge.app_id, "kind": charge.kind}
