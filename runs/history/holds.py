"""Holds: a run on hold is protected from deletion, by hand and by the retention rules, with all that belongs to it.

Pages say "protected", because a run "on hold" would sound as if it waited. The database refuses a run that is both on
hold and in the bin, so a hold and a move to the bin at the same moment can't both happen.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from runs.audit.record import record_each
from runs.models import Member, Output, Run, Verb
from runs.models.run import RunQuerySet

NAMED = ("public_id", "title", "app_name")  # what the record says of a run


@transaction.atomic
def hold(runs: RunQuerySet, member: Member, now: datetime) -> int:
    """Put `runs` on hold, except those that are already; return how many were. The caller checks that `member` may
    change them.

    Their rejected results no longer have a day on which they go.
    """
    free = list(runs.filter(deleted_at=None, held_at=None).values_list("pk", flat=True))
    still_free = Run.objects.filter(pk__in=free, deleted_at=None, held_at=None)
    count = still_free.update(held_at=now, held_by=member, version=F("version") + 1)
    record_each(Verb.RUN_HELD, Run.objects.filter(pk__in=free, held_at=now).only(*NAMED))
    Output.objects.filter(run__in=free, run__held_at__isnull=False, removal_at__isnull=False).update(removal_at=None)
    return count


@transaction.atomic
def release(runs: RunQuerySet) -> int:
    """End the hold on `runs`; return how many were on hold. The caller checks who may (`RunQuerySet.releasable_by`)."""
    held = Run.objects.filter(pk__in=list(runs.filter(held_at__isnull=False).values_list("pk", flat=True)))
    record_each(Verb.RUN_RELEASED, held.only(*NAMED))
    return held.filter(held_at__isnull=False).update(held_at=None, held_by=None, version=F("version") + 1)


def held_at(member: Member, at: datetime | None) -> RunQuerySet:
    """Return the runs that `member` put on hold at the time `at`, so that it can be undone."""
    return Run.objects.releasable_by(member).filter(held_by=member, held_at=at) if at else Run.objects.none()
