"""Charging for runs. A charge is reserved when Run is pressed, kept once Lamina has started the run, and released if we
know for certain that it hasn't.

Each change to a charge is a conditional UPDATE, with the sums updated in the same transaction. Repeating a change has
no effect. Rows are always locked in this order: the run, its charge, the sum, the member's total and the portal's
total. That one comes last because everyone who presses Run has to wait for it.
"""

from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F, QuerySet

from runs.models import Charge, Member, MonthTotal, Run, SpendingSum
from runs.models.spending import month_of
from runs.spending.estimates import CostEstimate, estimate
from runs.spending.limits import LimitReached, allowance_of, beyond_limit, spend

State = Charge.State
# Plain SQL, because Django would take several times as long to build these queries as the database takes to run them,
# and each press of Run needs them.
ADD = (
    'UPDATE "runs_spendingsum" SET hundredths = hundredths + %s, reserved = reserved + %s, count = count + %s, '
    "unknown_count = unknown_count + %s WHERE month = %s AND member_id = %s AND app_id = %s AND kind = %s"
)


def reserve(run: Run, estimated: CostEstimate, now: datetime) -> Charge:
    """Reserve the charge for `run`, which was just created, in the caller's transaction. If this raises `LimitReached`,
    the caller must roll back."""
    cost = estimated.hundredths
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
    spend(run.member, cost, now)
    return charge


@transaction.atomic
def keep(run: Run) -> None:
    """Keep the charge for `run`: Lamina has started it, or we can't be sure that it hasn't."""
    charge = Charge.objects.filter(run=run, state=State.RESERVED).first()
    if charge is not None and _move(charge, State.KEPT):
        _sum_of(charge).update(reserved=F("reserved") - charge.hundredths)


@transaction.atomic
def release(run: Run) -> None:
    """Release what was reserved for `run`, because it certainly never started. A charge that has already been kept
    isn't released."""
    charge = Charge.objects.filter(run=run, state=State.RESERVED).first()
    if charge is not None and _move(charge, State.RELEASED):
        _take_off(charge)


def date_back(run: Run, at: datetime) -> None:
    """Charge `run`, which the caller's transaction has just created, as if Run had been pressed at `at`. Only the
    sandbox's examples need this."""
    charge = Charge.objects.get(run=run)
    _take_off(charge)
    charge.pressed_at, charge.month = at, month_of(at)
    charge.save(update_fields=["pressed_at", "month"])
    _count(charge, 1)
    spend(run.member, None if charge.is_unknown else charge.hundredths, at)


def is_kept(run: Run) -> bool:
    """Return whether the charge for `run` has been kept, even if Lamina hasn't confirmed that it started the run."""
    return Charge.objects.filter(run=run, state=State.KEPT).exists()


@transaction.atomic
def press_again(run: Run, by: Member, now: datetime) -> None:
    """Let `by` start `run` again when it is unclear whether the first attempt worked. Raises `LimitReached` if the
    person who pays for the first attempt is already over their limit.

    The run is charged only once, but that charge is now kept, because the first attempt may have worked after all.
    """
    estimated = estimate(run.app, run.schema, run.wanted_outputs)
    charge = Charge.objects.select_related("member").filter(run=run).first()
    if charge is None:
        reserve(run, estimated, now)
    elif beyond_limit(by, left := allowance_of(charge.member, now), 0):
        raise LimitReached(beyond_limit(by, left, estimated.hundredths, payer=charge.member))
    keep(run)


def first_kind(run: Run) -> str:
    """Return the kind of the first result that the app of `run` makes, no matter which results were requested."""
    return str(run.schema.outputs[0]["type"])[:50] if run.schema.outputs else ""


def _move(charge: Charge, state: Charge.State) -> bool:
    """Change the state of a reserved charge; return False if another process has already done so."""
    return Charge.objects.filter(pk=charge.pk, state=State.RESERVED).update(state=state) == 1


def _take_off(charge: Charge) -> None:
    """Subtract a reserved charge from all sums of its month."""
    _count(charge, -1)
    for member in (charge.member_id, None):
        MonthTotal.objects.filter(member=member, month=charge.month).update(used=F("used") - charge.hundredths)


def _count(charge: Charge, sign: int) -> None:
    """Add a reserved charge to its sum; if `sign` is -1, subtract it."""
    if not _add_to_sum(charge, sign):
        SpendingSum.objects.bulk_create([SpendingSum(**_place_of(charge))], ignore_conflicts=True)
        _add_to_sum(charge, sign)


def _add_to_sum(charge: Charge, sign: int) -> bool:
    """Add a charge to its sum; if `sign` is -1, subtract it. Return False if there is no such sum yet."""
    amount, unknown = sign * charge.hundredths, sign * int(charge.is_unknown)
    place: list[int | str] = [charge.month.isoformat(), charge.member_id, charge.app_id, charge.kind]
    with connection.cursor() as cursor:
        cursor.execute(ADD, [amount, amount, sign, unknown, *place])
        return bool(cursor.rowcount == 1)


def _sum_of(charge: Charge) -> QuerySet[SpendingSum]:
    return SpendingSum.objects.filter(**_place_of(charge))


def _place_of(charge: Charge) -> dict[str, Any]:
    return {"month": charge.month, "member_id": charge.member_id, "app_id": charge.app_id, "kind": charge.kind}
