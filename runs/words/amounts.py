"""Amounts as shown to people. They are stored in hundredths of a credit."""

from decimal import Decimal

from django.utils.translation import ngettext

from runs.models.spending import HUNDREDTHS
from runs.words.sentences import credits_words, plural_number


def to_credits(hundredths: int) -> Decimal:
    return Decimal(hundredths) / HUNDREDTHS


def to_hundredths(credits: Decimal) -> int:
    """Return an amount of credits with at most two decimal places in hundredths."""
    return int((credits * HUNDREDTHS).to_integral_value())


def amount_words(hundredths: int) -> str:
    """Return an amount without its unit, such as "1,240.5"."""
    return credits_words(to_credits(hundredths)) if hundredths else "0"


def credit_words(hundredths: int) -> str:
    """Return an amount such as "1 credit" or "1,240.5 credits"."""
    words = ngettext("%(count)s credit", "%(count)s credits", plural_number(to_credits(abs(hundredths))))
    return words % {"count": amount_words(hundredths)}
