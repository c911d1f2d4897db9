"""Numbers as shown to people."""

from django.utils.formats import number_format


def number_words(number: int) -> str:
    """Return a number such as "12,345", grouped as usual in the active language."""
    return number_format(number, use_l10n=True, force_grouping=True)


def capped_words(number: int, most: int) -> str:
    """Return a number, or "99+" if it is more than `most`."""
    return f"{number_words(most)}+" if number > most else number_words(number)
