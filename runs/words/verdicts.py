"""Counts of verdicts in words, such as "2 approved" and "1 needs changes"."""

from django.utils.translation import ngettext

from runs.words.numbers import number_words


def approved_words(count: int) -> str:
    return ngettext("%(count)s approved", "%(count)s approved", count) % {"count": number_words(count)}


def changes_words(count: int) -> str:
    return ngettext("%(count)s needs changes", "%(count)s need changes", count) % {"count": number_words(count)}


def rejected_words(count: int) -> str:
    return ngettext("%(count)s rejected", "%(count)s rejected", count) % {"count": number_words(count)}
