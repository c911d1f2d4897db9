"""Rules of how long things are kept: once a day what is older goes to the bin, and lies there 30 days like all else.

What has a star stays, and so does what guests can open: somebody still wants it. What somebody has brought back from
the bin counts as new from then on. Without a rule everything stays.
"""

from datetime import datetime, timedelta

from django.db.models import Q

from runs.history import bin
from runs.models import GuestLink, RetentionRules, Run
from runs.models.run import RunQuerySet

FEWEST_DAYS, MOST_DAYS = 7, 3650
STATUSES = {"ready_days": ("completed",), "failed_days": ("failed", "cancelled")}


def overdue(rules: RetentionRules, now: datetime) -> list[RunQuerySet]:
    """The runs that RULES send to the bin, for each rule there is."""
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
    """How many runs RULES would send to the bin now."""
    return sum(runs.count() for runs in overdue(rules, now))


def apply(now: datetime) -> int:
    """Send to the bin what the rules say; returns how many runs."""
    return sum(bin.move_to_bin(runs, None, now) for runs in overdue(RetentionRules.current(), now))
