"""Removes old entries from the audit record, and records that it did. No other module may remove entries."""

from collections.abc import Callable
from datetime import datetime, timedelta

from runs.audit import guard
from runs.audit.record import record
from runs.models import Entry, Verb

BATCH = 5000


def apply(now: datetime, days: int | None, batch: int = BATCH, *, go_on: Callable[[], bool] = lambda: True) -> int:
    """Remove entries older than `days` (None keeps them all); return how many were removed. Each transaction removes at
    most `batch` entries. `go_on` is called before each transaction and returns whether to continue."""
    removed = 0
    while days is not None and go_on() and (count := _remove_some(now - timedelta(days=days), batch)):
        removed += count
    return removed


def _remove_some(end: datetime, batch: int) -> int:
    with guard.opened():
        oldest = Entry.objects.older_than(end).order_by("at", "pk").values("pk")[:batch]
        count, _ = Entry.objects.filter(pk__in=oldest).delete()
        if count:
            record(Verb.ENTRIES_REMOVED, None, changes={"entries": (count, None), "older_than": (None, end.date())})
    return count
