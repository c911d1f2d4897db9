"""Numbers as shown to people."""

from django.utils.formats import number_format


def number_words(number: int) -> str:
    """ "12,345", grouped as usual in the active language."""
    return number_format(number, use_l10n=True, force_grouping=True)
