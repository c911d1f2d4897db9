"""Days and times in the reader's language and time zone (`words/moments.py`). None becomes an empty string.

`{{ at|day }}` gives just words; `{% moment at "day" %}` also shows the exact time and time zone on hover and focus.
"""

from collections.abc import Callable
from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from runs.words import moments

register = template.Library()
FILTERS: dict[str, Callable[[datetime], str]] = {
    "day": moments.day_words,
    "day_time": moments.day_time_words,
    "exact_time": moments.exact_time_words,
    "brief_day": moments.brief_day_words,
    "brief_day_time": moments.brief_day_time_words,
    "clock_time": moments.clock_time_words,
    "zoned_time": moments.zoned_words,
}


def _or_nothing(words: Callable[[datetime], str]) -> Callable[[datetime | None], str]:
    def filtered(at: datetime | None) -> str:
        return words(at) if at else ""

    return filtered


for name, words in FILTERS.items():
    register.filter(name, _or_nothing(words))


@register.simple_tag
def moment(at: datetime | None, form: str = "brief_day_time", *, words: str = "") -> str | SafeString:
    """Return `at` as `words`, or in the format of one of the FILTERS. On focus and hover, it shows the full date, time
    and zone."""
    if at is None:
        return ""
    html = (
        '<span class="moment" role="group" tabindex="0" aria-label="{full}"><time datetime="{at}">{words}</time>'
        '<span class="moment-full" aria-hidden="true">{full}</span></span>'
    )
    at = timezone.localtime(at)
    return format_html(html, at=at.isoformat(), words=words or FILTERS[form](at), full=moments.full_words(at))
