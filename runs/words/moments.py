"""Dates and times in the reader's language and time zone. Formats are translated like any other text."""

from datetime import date, datetime
from functools import lru_cache

from django.utils import formats, timezone
from django.utils.translation import get_language, pgettext

from runs.words.time_zones import zone_words


def day_words(at: date | datetime) -> str:
    """Return a date such as "5 March 2026"."""
    return _formatted(at, pgettext("date format", "j F Y"))


def day_time_words(at: datetime) -> str:
    """Return a date and time such as "5 March 2026, 14:07"."""
    return _formatted(at, pgettext("date format", "j F Y, H:i"))


def exact_time_words(at: datetime) -> str:
    """Return a date and time with seconds, such as "5 March 2026, 14:07:09"."""
    return _formatted(at, pgettext("date format", "j F Y, H:i:s"))


def zoned_words(at: datetime) -> str:
    """Return a date and time with the time zone, such as "5 March 2026, 14:07 (Berlin, UTC+1)"."""
    return f"{day_time_words(at)} ({zone_words(at)})"


def full_words(at: datetime) -> str:
    """Return a date and time in full, such as "Thursday, 5 March 2026, 14:07:09 (Berlin, UTC+1)"."""
    words = _formatted(at, pgettext("date format", "l, j F Y, H:i:s"))
    return f"{words} ({zone_words(at)})"


def brief_day_words(at: date | datetime) -> str:
    """Return a short date such as "5 Mar", with the year if it isn't the current one."""
    is_this_year = _local(at).year == timezone.localdate().year
    return _formatted(at, pgettext("date format", "j M") if is_this_year else pgettext("date format", "j M Y"))


def brief_day_time_words(at: datetime) -> str:
    """Return a short date and time such as "5 Mar, 14:07", with the year if it isn't the current one."""
    is_this_year = _local(at).year == timezone.localdate().year
    return _formatted(
        at, pgettext("date format", "j M, H:i") if is_this_year else pgettext("date format", "j M Y, H:i")
    )


def short_time_words(at: datetime) -> str:
    """Return a time such as "14:07" if that is today, otherwise a date and time such as "5 Mar, 14:07"."""
    if timezone.localdate(at) != timezone.localdate():
        return brief_day_time_words(at)
    return _formatted(at, pgettext("date format", "H:i"))


def month_words(day: date) -> str:
    """Return a month such as "March 2026"."""
    return _formatted(day, pgettext("date format", "F Y"))


def brief_month_words(day: date) -> str:
    """Return a short month such as "Mar"."""
    return _formatted(day, pgettext("date format", "M"))


def weekday_words(day: date) -> str:
    """Return a date with the weekday but without the year, such as "Thursday, 5 March"."""
    return _formatted(day, pgettext("date format", "l, j F"))


def clock_time_words(at: datetime) -> str:
    """Return a time with seconds, such as "14:07:09"."""
    return _formatted(at, pgettext("date format", "H:i:s"))


def portal_day(at: datetime | None = None) -> date:
    """Return the date of `at` (by default, today) in the portal's time zone, which is the same for every reader."""
    return timezone.localdate(at, timezone.get_default_timezone())


def _local(at: date | datetime) -> date | datetime:
    return timezone.localtime(at) if isinstance(at, datetime) else at


def _formatted(at: date | datetime, form: str) -> str:
    local = _local(at)
    plain = local.replace(tzinfo=None) if isinstance(local, datetime) else local
    return _cached_format(plain, form, get_language())


@lru_cache(maxsize=4_096)
def _cached_format(plain: date | datetime, form: str, _language: str | None) -> str:
    """Format a date, or a time without its zone. The result is cached, because lists often show the same times."""
    return formats.date_format(plain, form)
