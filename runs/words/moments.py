"""Days and times in the active language and the portal's time zone. Formats are translated like other text."""

from datetime import date, datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import pgettext


def day_words(at: date | datetime) -> str:
    """ "5 March 2026"."""
    return date_format(_local(at), pgettext("date format", "j F Y"))


def day_time_words(at: datetime) -> str:
    """ "5 March 2026, 14:07"."""
    return date_format(_local(at), pgettext("date format", "j F Y, H:i"))


def exact_time_words(at: datetime) -> str:
    """ "5 March 2026, 14:07:09"."""
    return date_format(_local(at), pgettext("date format", "j F Y, H:i:s"))


def brief_day_words(at: date | datetime) -> str:
    """ "5 Mar", with the year unless it is the current one."""
    is_this_year = _local(at).year == timezone.localdate().year
    return date_format(_local(at), pgettext("date format", "j M") if is_this_year else pgettext("date format", "j M Y"))


def brief_day_time_words(at: datetime) -> str:
    """ "5 Mar, 14:07", with the year unless it is the current one."""
    is_this_year = _local(at).year == timezone.localdate().year
    return date_format(
        _local(at), pgettext("date format", "j M, H:i") if is_this_year else pgettext("date format", "j M Y, H:i")
    )


def short_time_words(at: datetime) -> str:
    """ "14:07" if it was today, otherwise "5 Mar, 14:07"."""
    if timezone.localdate(at) != timezone.localdate():
        return brief_day_time_words(at)
    return date_format(_local(at), pgettext("date format", "H:i"))


def weekday_words(day: date) -> str:
    """ "Thursday, 5 March", for a day of this year."""
    return date_format(day, pgettext("date format", "l, j F"))


def clock_time_words(at: datetime) -> str:
    """ "14:07:09"."""
    return date_format(_local(at), pgettext("date format", "H:i:s"))


def _local(at: date | datetime) -> date | datetime:
    return timezone.localtime(at) if isinstance(at, datetime) else at
