"""The months that the spending page shows, as given in its URL."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time

from django.utils import timezone
from django.utils.translation import gettext as _

from runs.models.spending import month_of
from runs.words.moments import month_words
from runs.words.time_zones import zone_name_words

MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")
YEAR = 12


def moved(month: date, months: int) -> date:
    """Return the first day of the month that is `months` months after `month` (before it if negative)."""
    number = month.year * YEAR + month.month - 1 + months
    return date(number // YEAR, number % YEAR + 1, 1)


@dataclass(frozen=True)
class Period:
    """One month, or the twelve months up to and including it. `month` is the first day of that month."""

    month: date
    is_year: bool = False

    @classmethod
    def parse(cls, month: str, span: str, now: datetime | None = None) -> "Period":
        """Return the period given in a URL; the current month if it is missing, invalid or in the future."""
        present = month_of(now or timezone.now())
        match = MONTH.fullmatch(month)
        requested = date(int(match[1]), int(match[2]), 1) if match else present
        return cls(min(requested, present), span == str(YEAR))

    @property
    def first(self) -> date:
        """The first day of the period's first month."""
        return moved(self.month, 1 - YEAR) if self.is_year else self.month

    @property
    def months(self) -> list[date]:
        """The first day of each month in the period."""
        return [moved(self.first, n) for n in range(YEAR if self.is_year else 1)]

    @property
    def starts_at(self) -> datetime:
        return _midnight(self.first)

    @property
    def ends_at(self) -> datetime:
        return _midnight(moved(self.month, 1))

    @property
    def query(self) -> str:
        return f"month={self.month:%Y-%m}{f'&span={YEAR}' if self.is_year else ''}"

    @property
    def words(self) -> str:
        """The name of the period, such as "March 2026" or "April 2025 to March 2026"."""
        if not self.is_year:
            return month_words(self.month)
        return _("%(first)s to %(last)s") % {"first": month_words(self.first), "last": month_words(self.month)}

    @property
    def zone_words(self) -> str:
        """The time zone in which the months begin and end, such as "Berlin"."""
        with timezone.override(timezone.get_default_timezone()):
            return zone_name_words()

    @property
    def slug(self) -> str:
        """The period in a file name, such as "2026-03" or "2025-04-to-2026-03"."""
        return f"{self.first:%Y-%m}-to-{self.month:%Y-%m}" if self.is_year else f"{self.month:%Y-%m}"


def _midnight(day: date) -> datetime:
    """Return the beginning of `day` in the portal's time zone."""
    return datetime.combine(day, time(), timezone.get_default_timezone())
