"""Days and times in the reader's language and time zone (`words/moments.py`). None becomes an empty string.

`{{ at|day }}` gives just words; `{% moment at "day" %}` also shows the exact time and time zone on hover and focus.
"""

from collections.abc import Callable
from datetime import datetime

from django import template
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from runs.models import Preset
from runs.words import moments
from runs.words.markup import filled_in, moment_html, moment_in_link_html

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
    """Return `at` as `words`, or in the format of one of the FILTERS. On focus and hover, the text shows the full date,
    time and zone."""
    if at is None:
        return ""
    return moment_html(at, words or FILTERS[form](at))


@register.simple_tag
def preset_name(preset: Preset, *, is_in_link: bool = False) -> SafeString:
    """Return the name of a preset. If it's named after the time when a draft was set aside (`launching.presets`), show
    that time in the reader's language and zone, followed by whatever was added to make the name unique."""
    if not preset.is_set_aside:
        return escape(preset.name)
    moment_of, at = moment_in_link_html if is_in_link else moment_html, preset.created_at
    time = moment_of(at, moments.brief_day_time_words(at))
    _start, gap, ending = preset.name.partition(" (")
    return format_html("{}{}", filled_in(_("Draft from %(time)s"), time=time), gap + ending)
