"""Ages and durations as shown to people: "5 min ago", "0:42", "usually 2 to 3 min", "1 min 20 s"."""

from datetime import datetime, timedelta
from functools import lru_cache

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language, npgettext_lazy, pgettext
from django.utils.translation import gettext as _

_AGO: dict[str, Promise] = {
    "minute": npgettext_lazy("age", "%(count)s min ago", "%(count)s min ago", "count"),
    "hour": npgettext_lazy("age", "%(count)s h ago", "%(count)s h ago", "count"),
    "day": npgettext_lazy("age", "%(count)s day ago", "%(count)s days ago", "count"),
    "week": npgettext_lazy("age", "%(count)s week ago", "%(count)s weeks ago", "count"),
    "month": npgettext_lazy("age", "%(count)s month ago", "%(count)s months ago", "count"),
    "year": npgettext_lazy("age", "%(count)s year ago", "%(count)s years ago", "count"),
}
# Shorter forms for phones, without "ago".
_BRIEF_AGO: dict[str, Promise] = {
    "minute": npgettext_lazy("brief age", "%(count)s min", "%(count)s min", "count"),
    "hour": npgettext_lazy("brief age", "%(count)s h", "%(count)s h", "count"),
    "day": npgettext_lazy("brief age", "%(count)s day", "%(count)s days", "count"),
    "week": npgettext_lazy("brief age", "%(count)s week", "%(count)s weeks", "count"),
    "month": npgettext_lazy("brief age", "%(count)s month", "%(count)s months", "count"),
    "year": npgettext_lazy("brief age", "%(count)s year", "%(count)s years", "count"),
}
_AGES = {"ago": _AGO, "brief": _BRIEF_AGO}
_UNITS = {"year": 365 * 86400, "month": 30 * 86400, "week": 7 * 86400, "day": 86400, "hour": 3600, "minute": 60}


def age_words(at: datetime, now: datetime | None = None) -> str:
    """Return an age such as "just now", "5 min ago", "2 h ago" or "3 days ago"."""
    return _age("ago", at, now)


def brief_age_words(at: datetime, now: datetime | None = None) -> str:
    """Return a short age such as "just now", "5 min", "2 h" or "3 days"."""
    return _age("brief", at, now)


def _age(form: str, at: datetime, now: datetime | None) -> str:
    seconds = ((now or timezone.now()) - at).total_seconds()
    for unit, length in _UNITS.items():
        if seconds >= length:
            return _age_with_count(form, unit, int(seconds // length), get_language())
    return _("just now")


@lru_cache(maxsize=1_024)
def _age_with_count(form: str, unit: str, count: int, _language: str | None) -> str:
    return str(_AGES[form][unit] % {"count": count})


def clock_words(span: timedelta) -> str:
    """Return a duration in clock format, such as "0:42", "12:05" or "1:02:03"."""
    seconds = max(0, int(span.total_seconds()))
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def usual_words(usual: float | None, slow: float | None) -> str:
    """Return the usual duration, such as "usually 2 to 3 min" or "usually about 20 s"; empty if it isn't known yet."""
    if usual is None or slow is None:
        return ""
    low, high = _rounded(usual), _rounded(slow)
    if low == high:
        return _("usually about %(span)s") % {"span": span_words(timedelta(seconds=low))}
    if high < 60:
        return pgettext("seconds", "usually %(low)s to %(high)s s") % {"low": low, "high": high}
    if low >= 60 and high < 3600 and low % 60 == high % 60 == 0:
        return pgettext("minutes", "usually %(low)s to %(high)s min") % {"low": low // 60, "high": high // 60}
    spans = {"low": span_words(timedelta(seconds=low)), "high": span_words(timedelta(seconds=high))}
    return pgettext("time spans", "usually %(low)s to %(high)s") % spans


def _rounded(seconds: float) -> int:
    """Round to 1 s (below ten seconds), 5 s (below a minute), 30 s (below ten minutes) or whole minutes (above
    that)."""
    step = 1 if seconds < 10 else 5 if seconds < 60 else 30 if seconds < 600 else 60
    return max(1, round(seconds / step) * step)


def span_words(span: timedelta) -> str:
    """Return a duration such as "42 s", "1 min 20 s" or "1 h 2 min"."""
    seconds = max(0, round(span.total_seconds()))
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    values = {"hours": hours, "minutes": minutes, "seconds": seconds}
    if hours and minutes:
        return pgettext("time span", "%(hours)s h %(minutes)s min") % values
    if hours:
        return pgettext("time span", "%(hours)s h") % values
    if minutes and seconds:
        return pgettext("time span", "%(minutes)s min %(seconds)s s") % values
    if minutes:
        return pgettext("time span", "%(minutes)s min") % values
    return pgettext("time span", "%(seconds)s s") % values
