"""Numbers as shown to people, and as read from text that anyone may have written."""

from django.utils.formats import number_format
from django.utils.translation import ngettext

LONGEST = 20  # digits; Python raises an error for thousands of them


def number_in[Other](text: str, least: int, most: int, otherwise: Other) -> int | Other:
    """Return the number that `text` consists of; `otherwise` if it isn't a number from `least` to `most` in ASCII
    digits. Values from URLs, forms and headers are read with this function."""
    is_number = text.isascii() and text.isdigit() and len(text) <= LONGEST
    return int(text) if is_number and least <= int(text) <= most else otherwise


def number_words(number: int) -> str:
    """Return a number such as "12,345", grouped as usual in the active language."""
    return number_format(number, use_l10n=True, force_grouping=True)


def results_words(count: int) -> str:
    """Return a number of results, such as "1 result" or "1,200 results"."""
    return ngettext("%(count)s result", "%(count)s results", count) % {"count": number_words(count)}


def capped_words(number: int, most: int) -> str:
    """Return a number, or "99+" if it is more than `most`."""
    return f"{number_words(most)}+" if number > most else number_words(number)
