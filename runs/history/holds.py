"""Holds: neither people nor the retention rules can delete a run that is on hold, or anything that belongs to it.

Pages say "protected", because "on hold" sounds as if the run were waiting. The database refuses a run that is both on
hold and in the bin, so nothing goes wrong if someone protects a run while someone else is deleting it.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from runs.audit.record import record_each
from runs.models import Member, Output, Run, Verb
from runs.models.run import RunQuerySet


@transaction.atomic
def hold(runs: RunQuerySet, member: Member, now: datetime) -> int:
    """Put `runs` on hold, except for runs that already are; return how many were put on hold. The caller checks that
    `member` may change them.

    Rejected results of these runs are no longer scheduled for removal.
    """
    free = runs.filter(deleted_at=None, held_at=None).locked()
    record_each(Verb.RUN_HELD, free)
    Output.objects.filter(run__in=free, removal_at__isnull=False).update(removal_at=None)
    on_hold = Run.objects.filter(pk__in=[run.pk for run in free])
    return on_hold.update(held_at=now, held_by=member, version=F("version") + 1)


@transaction.atomic
def release(runs: RunQuerySet) -> int:
    """End the hold on `runs`; return how many were on hold. The caller checks permissions
    (`RunQuerySet.releasable_by`)."""
    on_hold = runs.filter(held_at__isnull=False).locked()
    record_each(Verb.RUN_RELEASED, on_hold)
    released = Run.objects.filter(pk__in=[run.pk for run in on_hold])
    return released.update(held_at=None, held_by=None, version=F("version") + 1)


def held_at(member: Member, at: datetime | None) -> RunQuerySet:
    """Return the runs that `member` put on hold at the time `at`, for Undo."""
    return Run.objects.releasable_by(member).filter(held_by=member, held_at=at) if at else Run.objects.none()
