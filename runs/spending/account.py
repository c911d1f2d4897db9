"""Compares what the Lamina account spent with our charges. Every hour, both totals are recorded at the same moment, so
that we can compare how much they have grown.

Lamina never says what a single run cost. If the account spent more than we charged, the difference was spent outside
this portal, or our estimates were too low. The spending page says so, but never attributes the difference to individual
people.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Sum
from django.utils import timezone

from runs.connection import status
from runs.connection.balance import refresh_balance
from runs.models import AccountReading, SpendingSum
from runs.words.credits import to_hundredths

AT_MOST_OLD = timedelta(minutes=2)  # Lamina's last answer counts as current if it's no older than this
DAY = timedelta(hours=24)


@dataclass(frozen=True)
class Growth:
    """What the account spent between two readings, and what we charged, in hundredths of a credit."""

    since: datetime
    until: datetime
    spent: int
    charged: int

    @property
    def gap(self) -> int:
        """The part of the account's spending that our charges don't explain; negative if it spent less than we
        charged."""
        return self.spent - self.charged

    @property
    def gap_percent(self) -> int:
        """The gap as a percentage of what we charged."""
        return round(self.gap * 100 / self.charged) if self.charged else 0


def read_account() -> None:
    """Ask Lamina what the account has spent, and store that along with our charges; do nothing if Lamina doesn't
    say."""
    refresh_balance()
    current, now = status.lamina_status(), timezone.now()
    if current.spent is None or current.balance_at is None or now - current.balance_at > AT_MOST_OLD:
        return
    totals = SpendingSum.objects.aggregate(charged=Sum("hundredths"), reserved=Sum("reserved"))
    charged = (totals["charged"] or 0) - (totals["reserved"] or 0)
    AccountReading.objects.create(at=current.balance_at, spent=to_hundredths(current.spent), charged=charged)


def growth(start: datetime, end: datetime) -> Growth | None:
    """Return how much the account's spending grew from `start` to `end`; None if there are fewer than two readings.

    Counts from the last reading before `start` or, if there is none, from the very first reading.
    """
    readings = AccountReading.objects.order_by("at")
    last = readings.filter(at__lt=end).last()
    first = readings.filter(at__lte=start).last() or readings.filter(at__lt=end).first()
    if first is None or last is None or first.at >= last.at:
        return None
    return Growth(first.at, last.at, last.spent - first.spent, last.charged - first.charged)


def spent_lately(now: datetime) -> int:
    """Return how much the account spent in the last 24 hours, as far as the readings show, in hundredths of a credit.

    Spending before the first reading in that time isn't counted, because some of it may be older.
    """
    readings = AccountReading.objects.order_by("at")
    first = readings.filter(at__gte=now - DAY, at__lte=now).first()
    last = readings.filter(at__lte=now).last()
    return last.spent - first.spent if first is not None and last is not None else 0
