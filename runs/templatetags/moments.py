"""Days and times in the reader's language: `{{ at|day }}`, `{{ at|day_time }}`."""

from datetime import date, datetime

from django import template

from runs.words import moments

register = template.Library()
When = date | datetime | None


@register.filter
def day(at: When) -> str:
    """ "5 March 2026"."""
    return moments.day_words(at) if at else ""


@register.filter
def day_time(at: datetime | None) -> str:
    """ "5 March 2026, 14:07"."""
    return moments.day_time_words(at) if at else ""


@register.filter
def exact_time(at: datetime | None) -> str:
    """ "5 March 2026, 14:07:09"."""
    return moments.exact_time_words(at) if at else ""


@register.filter
def brief_day(at: When) -> str:
    """ "5 Mar", with the year unless it is this one."""
    return moments.brief_day_words(at) if at else ""


@register.filter
def brief_day_time(at: datetime | None) -> str:
    """ "5 Mar, 14:07", with the year unless it is this one."""
    return moments.brief_day_time_words(at) if at else ""


@register.filter
def clock_time(at: datetime | None) -> str:
    """ "14:07:09"."""
    return moments.clock_time_words(at) if at else ""
