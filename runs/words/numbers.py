"""Numbers as shown to people."""

from django.utils.formats import number_format
from django.utils.translation import ngettext


def number_words(number: int) -> str:
    """Return a number such as "12,345", grouped as usual in the active language."""
    return number_format(number, use_l10n=True, force_grouping=True)


def results_words(count: int) -> str:
    """Return a number of results, such as "1 result" or "1,200 results"."""
    return ngettext("%(count)s result", "%(count)s results", count) % {"count": number_words(count)}


def capped_words(number: int, most: int) -> str:
    """Return a number, or "99+" if it is more than `most`."""
    return f"{number_words(most)}+" if number > most else number_words(number)
