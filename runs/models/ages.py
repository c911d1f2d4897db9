"""How long ago something happened, by times that another host's clock may have set.

A time far in the future was set by a clock that was ahead. We treat it as if there were none: otherwise, nothing would
be due until the correct clock had caught up.
"""

from datetime import datetime, timedelta

from django.db.models import Q

AHEAD = timedelta(hours=1)  # hosts' clocks may differ by this much for good


def is_younger(at: datetime | None, now: datetime, age: timedelta) -> bool:
    """Return whether `at` is at most `age` ago."""
    return at is not None and now - age <= at <= now + AHEAD


def is_due(field: str, now: datetime, age: timedelta) -> Q:
    """Return a filter for rows whose time in `field` is missing or more than `age` ago."""
    return Q((field, None)) | Q((f"{field}__lt", now - age)) | Q((f"{field}__gt", now + AHEAD))
