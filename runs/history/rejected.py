"""Retention of rejected results: their files and text are scheduled for removal 30 days in advance, then removed.

Until then, the result's page announces the removal, and anyone who may change the run can keep the result. A result is
kept if someone still wants it: if it or its run is starred, if the run is on hold, if guests can open the result, if
anyone has decided on it within the retention period, or if someone is still being asked to decide on it. The result's
row in the database stays, with its decisions and comments.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from runs.audit.record import record
from runs.background.queue import stop_requested
from runs.models import (
    Decision,
    GuestLink,
    GuestLinkOutput,
    Output,
    OutputFile,
    RetentionRules,
    ReviewItem,
    Run,
    StoredFile,
    Verb,
)
from runs.storage import orphans

NOTICE = timedelta(days=30)
SLICE = 500


def overdue(days: int, now: datetime) -> QuerySet[Output]:
    """Return the rejected results that a retention period of `days` days would schedule for removal now."""
    return _unwanted(days, now).filter(removal_at=None)


def _unwanted(days: int, now: datetime) -> QuerySet[Output]:
    """Return the results that were rejected at least `days` days ago and that nobody wants any more."""
    since = now - timedelta(days=days)
    decided_lately = Decision.objects.standing().filter(output=OuterRef("pk"), created_at__gte=since)
    return _unclaimed().filter(Q(kept_at=None) | Q(kept_at__lt=since)).exclude(Exists(decided_lately))


def _unclaimed() -> QuerySet[Output]:
    """Return the rejected results that aren't kept for anything but a recent decision."""
    in_requests = ReviewItem.objects.undecided().filter(output=OuterRef("pk"))
    # Not `open()`: turning guest links off for a while mustn't schedule removals.
    in_links = GuestLinkOutput.objects.filter(link__in=GuestLink.objects.alive())
    return (
        Output.objects.filter(verdict="rejected", removed_at=None, starred_at=None)
        .filter(run__held_at=None, run__deleted_at=None, run__starred_at=None)
        .exclude(Exists(in_requests))
        .exclude(pk__in=in_links.values("output"))
    )


def removal_times(outputs: Iterable[Output]) -> dict[int, datetime]:
    """Return when the files and text of `outputs` will be removed, keyed by primary key. Results that will be kept are
    left out. Takes two queries if any removal is scheduled, otherwise none."""
    scheduled = [output.pk for output in outputs if output.removal_at is not None]
    if not scheduled:
        return {}
    latest = Decision.objects.standing().filter(output=OuterRef("pk")).order_by("-created_at").values("created_at")[:1]
    going = _unclaimed().filter(pk__in=scheduled).annotate(decided_at=Subquery(latest))
    period = timedelta(days=RetentionRules.current().rejected_days or 0)
    rows = going.values_list("pk", "removal_at", "decided_at")
    return {pk: at for pk, at, decided_at in rows if at and (decided_at is None or decided_at < at - period)}


def files_of(results: QuerySet[Output]) -> QuerySet[StoredFile]:
    """Return the files to delete with `results`: those not needed by any other result, any upload or any app's
    rules."""
    others = OutputFile.objects.filter(file=OuterRef("pk")).exclude(output__in=results.values("pk"))
    own = OutputFile.objects.filter(output__in=results.values("pk"), file__isnull=False)
    files = StoredFile.objects.filter(pk__in=own.values("file")).exclude(is_catalog=True)
    return files.filter(~Exists(others), uploads=None, field_rules=None)


def schedule(days: int, now: datetime) -> int:
    """Schedule the removal of overdue results; return how many. Rejected results are checked in batches, each result
    once."""
    count, run, last = 0, 0, 0
    waiting = Output.objects.filter(verdict="rejected", removal_at=None, removed_at=None).order_by("run", "pk")
    while not stop_requested():
        following = waiting.filter(Q(run__gt=run) | Q(run=run, pk__gt=last), run__gte=run)  # in the index's order
        pairs = list(following.values_list("run", "pk")[:SLICE])
        if not pairs:
            break
        run, last = pairs[-1]
        count += overdue(days, now).filter(pk__in=[pk for _, pk in pairs]).update(removal_at=now + NOTICE)
    return count


def unschedule() -> int:
    """Cancel all scheduled removals, because the rule was turned off; return how many there were."""
    return Output.objects.filter(removal_at__isnull=False).update(removal_at=None)


def keep(output: Output, now: datetime) -> bool:
    """Keep a result that was scheduled for removal, and restart its retention period. Return False if it wasn't
    scheduled."""
    going = Output.objects.filter(pk=output.pk, removal_at__isnull=False, removed_at=None)
    with transaction.atomic():
        is_kept = bool(going.update(removal_at=None, kept_at=now))
        if is_kept:
            record(Verb.RESULT_KEPT, output)
    return is_kept


def remove_due(days: int, now: datetime) -> int:
    """Remove the files and text of results that are due for removal; return the number of results. If someone wants a
    result after all, its removal is cancelled instead."""
    count = 0
    due = Output.objects.filter(removal_at__lte=now).order_by("removal_at")
    for pk in due.values_list("pk", flat=True).iterator(chunk_size=SLICE):
        if stop_requested():
            break
        count += _remove(pk, days, now)
    return count


def _remove(pk: int, days: int, now: datetime) -> bool:
    with transaction.atomic():
        # Lock the run first, as every change to its results does.
        run = Run.objects.select_for_update().filter(outputs=pk).first()
        output = _unwanted(days, now).filter(pk=pk, removal_at__lte=now).first()
        if run is None or output is None:
            Output.objects.filter(pk=pk).update(removal_at=None)
            return False
        files = list(StoredFile.objects.filter(results__output=output).values_list("pk", flat=True))
        removal = {"status": OutputFile.Status.REMOVED, "file": None, "due_at": None, "claimed_until": None}
        output.files.update(**removal)
        version = run.version + 1
        Run.objects.filter(pk=run.pk).update(version=version)
        emptied = {"text": "", "description": "", "raw_value": None, "removal_at": None, "removed_at": now}
        Output.objects.filter(pk=pk).update(**emptied, changed_in=version)
        record(Verb.RESULT_PURGED, output)
    orphans.remove_files(StoredFile.objects.filter(pk__in=files))
    return True
