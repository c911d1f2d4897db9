"""Retention rules: once a day, old runs are moved to the bin, where they stay for 30 days as usual.

Starred runs and runs that guests can open are kept, because somebody still wants them. For a restored run, the time
starts again. Without a rule, all runs are kept.
"""

from datetime import datetime, timedelta

from django.db.models import Q

from runs.history import bin
from runs.models import GuestLink, RetentionRules, Run
from runs.models.run import RunQuerySet

FEWEST_DAYS, MOST_DAYS = 7, 3650
STATUSES = {"ready_days": ("completed",), "failed_days": ("failed", "cancelled")}


def overdue(rules: RetentionRules, now: datetime) -> list[RunQuerySet]:
    """Return the runs that `rules` would move to the bin now, as one queryset for each rule that is set."""
    kept = Run.objects.filter(deleted_at=None, has_star=False)
    seen_outside = GuestLink.objects.alive().values("outputs__run")
    found = []
    for name, statuses in STATUSES.items():
        if (days := getattr(rules, name)) is not None:
            since = now - timedelta(days=days)
            is_old = Q(finished_at__lt=since) & (Q(brought_back_at=None) | Q(brought_back_at__lt=since))
            found.append(kept.filter(is_old, status__in=statuses).exclude(pk__in=seen_outside))
    return found


def count_overdue(rules: RetentionRules, now: datetime) -> int:
    """Count the runs that `rules` would move to the bin now."""
    return sum(runs.count() for runs in overdue(rules, now))


def apply(now: datetime) -> int:
    """Move overdue runs to the bin; return how many were moved."""
    return sum(bin.move_to_bin(runs, None, now) for runs in overdue(RetentionRules.current(), now))
