"""Approved results of charges, and how many versions each needed, for what an approved result costs.

`review.tally` calls this when the verdicts of a run have changed. They count for the month in which Run was pressed.
"""

from collections.abc import Mapping

from django.db.models import F

from runs.models import Charge, SpendingSum

type Approved = tuple[int, int]  # how many results are approved, and the sum of their version numbers


def count(runs: Mapping[int, Approved]) -> None:
    """Set what is approved of each of `runs`, by primary key, and move the sums. Callers must have locked the runs."""
    for charge in Charge.objects.filter(run__in=runs).order_by("pk"):
        approved, rounds = runs[charge.run_id or 0]
        if (approved, rounds) == (charge.approved, charge.rounds):
            continue
        Charge.objects.filter(pk=charge.pk).update(approved=approved, rounds=rounds)
        same = SpendingSum.objects.filter(
            month=charge.month, member=charge.member_id, app=charge.app_id, kind=charge.kind
        )
        same.update(
            approved=F("approved") + approved - charge.approved,
            rounds=F("rounds") + rounds - charge.rounds,
        )
