"""Counts all runs by person and state, in batches, for pages that would otherwise have to read every run: Health and
People."""

from collections import Counter
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import Count, Max, Min, Q

from runs.background.queue import stop_requested
from runs.models import Member, Run, RunCount

SLICE = 5_000  # how many primary keys to cover at a time; a database reads this many runs in under 0.1 s


class _RunGroup(NamedTuple):
    """What one row counts: runs with the same owner and status that are either all in the bin or all outside it."""

    member_id: int
    status: str
    is_binned: bool


def count(now: datetime) -> bool:
    """Recount all runs and store the counts; return False if the worker stops before that is done."""
    runs: Counter[_RunGroup] = Counter()
    oldest: dict[_RunGroup, datetime] = {}
    ends = Run.objects.aggregate(first=Min("pk"), last=Max("pk"))
    for start in range(ends["first"] or 0, (ends["last"] or -1) + 1, SLICE):
        if stop_requested():
            return False
        for key, number, first in _slice(start):
            runs[key] += number
            oldest[key] = min(first, oldest.get(key, first))
    _store(runs, oldest, now)
    return True


def _slice(start: int) -> list[tuple[_RunGroup, int, datetime]]:
    runs = (
        Run.objects.filter(pk__gte=start, pk__lt=start + SLICE).order_by().annotate(in_bin=Q(deleted_at__isnull=False))
    )
    rows = runs.values_list("member", "status", "in_bin").annotate(Count("pk"), Min("created_at"))
    return [(_RunGroup(owner, status, is_binned), n, first) for owner, status, is_binned, n, first in rows]


@transaction.atomic
def _store(runs: Counter[_RunGroup], oldest: dict[_RunGroup, datetime], now: datetime) -> None:
    """Replace the stored counts. Leave out people who have been deleted since their runs were counted."""
    RunCount.objects.all().delete()
    members = set(Member.objects.values_list("pk", flat=True))
    rows = [
        RunCount(**key._asdict(), runs=number, oldest=oldest[key], counted_at=now)
        for key, number in runs.items()
        if key.member_id in members
    ]
    RunCount.objects.bulk_create(rows)
