"""Counts a charge's approved results and how many versions each took, to work out what an approved result costs.

`review.overall_verdict` calls this when verdicts on a run's results have changed. Approved results count towards the
month in which Run was pressed.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import date

from django.db.models import F

from runs.models import Charge, SpendingSum

type Approved = tuple[int, int]  # how many results are approved, and the sum of their version numbers
type Place = tuple[date, int, int, str]  # what identifies a sum: month, member, app, kind


def count(runs: Mapping[int, Approved]) -> None:
    """For each of `runs` (by primary key), store how many results are approved and how many versions they took, and
    update the sums. The caller must have locked the runs.

    To avoid deadlocks, sums are updated after all charges, and always in the same order.
    """
    moved: dict[Place, Counter[str]] = {}
    for charge in Charge.objects.filter(run__in=runs).order_by("pk"):
        approved, rounds = runs[charge.run_id or 0]
        if (approved, rounds) == (charge.approved, charge.rounds):
            continue
        Charge.objects.filter(pk=charge.pk).update(approved=approved, rounds=rounds)
        place = (charge.month, charge.member_id, charge.app_id, charge.kind)
        moves = moved.setdefault(place, Counter())
        moves["approved"] += approved - charge.approved
        moves["rounds"] += rounds - charge.rounds
    for place in sorted(moved):
        month, member, app, kind = place
        same = SpendingSum.objects.filter(month=month, member=member, app=app, kind=kind)
        same.update(**{name: F(name) + by for name, by in moved[place].items()})
