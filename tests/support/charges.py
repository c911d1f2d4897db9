"""Checks what must always be true of charges and their sums."""

from collections import Counter
from datetime import date

from runs.models import FINAL, Charge, MonthTotal, Run, SpendingSum

Place = tuple[date, int, int, str]  # month, member, app, kind


def wrong_charges() -> list[str]:
    """Return what is wrong with the charges and their sums. Assumes that all runs were started by people, so each of
    them needs a charge."""
    return [*_wrong_states(), *wrong_sums()]


def _wrong_states() -> list[str]:
    charges = {charge.run_id: charge for charge in Charge.objects.exclude(run=None)}
    found = []
    for run in Run.objects.all():
        charge = charges.get(run.pk)
        if charge is None:
            found.append(f"{run}: no charge")
        elif run.status in FINAL and charge.state == Charge.State.RESERVED:
            found.append(f"{run}: ended, but still reserved")
        elif run.status not in FINAL and charge.state == Charge.State.RELEASED:
            found.append(f"{run}: hasn't ended, but is released")
        elif run.remote_id and charge.state != Charge.State.KEPT:
            found.append(f"{run}: started on Lamina, but {charge.state}")
    return found


def wrong_sums() -> list[str]:
    """Recompute all sums from the charges, and return those that differ."""
    sums: dict[Place, Counter[str]] = {}
    used: Counter[tuple[date, int | None]] = Counter()
    for charge in Charge.objects.exclude(state=Charge.State.RELEASED):
        place = (charge.month, charge.member_id, charge.app_id, charge.kind)
        is_reserved = charge.state == Charge.State.RESERVED
        sums.setdefault(place, Counter()).update(
            hundredths=charge.hundredths,
            reserved=charge.hundredths if is_reserved else 0,
            count=1,
            unknown_count=int(charge.is_unknown),
            approved=charge.approved,
            rounds=charge.rounds,
        )
        for member in (charge.member_id, None):
            used[charge.month, member] += charge.hundredths
    return [*_wrong_spending_sums(sums), *_wrong_totals(used)]


def _wrong_spending_sums(expected: dict[Place, Counter[str]]) -> list[str]:
    names = ("hundredths", "reserved", "count", "unknown_count", "approved", "rounds")
    kept = {(s.month, s.member_id, s.app_id, s.kind): s for s in SpendingSum.objects.all()}
    return [
        f"{place} {name}: {getattr(kept.get(place), name, 0)} instead of {expected.get(place, Counter())[name]}"
        for place in expected.keys() | kept.keys()
        for name in names
        if getattr(kept.get(place), name, 0) != expected.get(place, Counter())[name]
    ]


def _wrong_totals(used: Counter[tuple[date, int | None]]) -> list[str]:
    kept = {(total.month, total.member_id): total.used for total in MonthTotal.objects.all()}
    return [
        f"{place}: {kept.get(place, 0)} used instead of {used[place]}"
        for place in used.keys() | kept.keys()
        if kept.get(place, 0) != used[place]
    ]
