"""Filters for days and times in the reader's language (`words/moments.py`): `{{ at|day }}`. None becomes an empty
string.
"""

from collections.abc import Callable
from datetime import datetime

from django import template

from runs.words import moments

register = template.Library()
FILTERS: dict[str, Callable[[datetime], str]] = {
    "day": moments.day_words,
    "day_time": moments.day_time_words,
    "exact_time": moments.exact_time_words,
    "brief_day": moments.brief_day_words,
    "brief_day_time": moments.brief_day_time_words,
    "clock_time": moments.clock_time_words,
}


def _or_nothing(words: Callable[[datetime], str]) -> Callable[[datetime | None], str]:
    def filtered(at: datetime | None) -> str:
        return words(at) if at else ""

    return filtered


for name, words in FILTERS.items():
    register.filter(name, _or_nothing(words))
