"""Amounts of credits, and the balance, as shown to people. Amounts are stored in hundredths of a credit."""

import math
from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from runs.models import LaminaStatus
from runs.models.spending import HUNDREDTHS


def to_credits(hundredths: int) -> Decimal:
    return Decimal(hundredths) / HUNDREDTHS


def to_hundredths(credits: Decimal) -> int:
    """Convert an amount of credits, which has at most two decimal places, to hundredths of a credit."""
    return int((credits * HUNDREDTHS).to_integral_value())


def amount_words(hundredths: int) -> str:
    """Return an amount without its unit, such as "1,240.5"."""
    return credits_words(to_credits(hundredths)) if hundredths else "0"


def credit_words(hundredths: int) -> str:
    """Return an amount such as "1 credit" or "1,240.5 credits"."""
    words = ngettext("%(count)s credit", "%(count)s credits", plural_number(to_credits(abs(hundredths))))
    return words % {"count": amount_words(hundredths)}


def credits_words(amount: Decimal | None) -> str:
    """Return an amount such as "12", "4,250" or "4,250.5", without trailing zeros; empty if unknown."""
    if amount is None:
        return ""
    rounded = amount.quantize(Decimal("0.01")).normalize()
    return number_format(f"{rounded:f}", use_l10n=True, force_grouping=True)


def balance_words(account: LaminaStatus) -> str:
    """Return the balance: "1 credit" or "4,250.5 credits"; "about 4,238 credits" (without a fraction) if we have
    subtracted the cost of runs since Lamina last reported the balance; "" if unknown."""
    balance = account.balance_left
    if balance is None:
        return ""
    if account.spent_since:
        return about_credits(balance.quantize(Decimal(1)))
    words = ngettext("%(count)s credit", "%(count)s credits", 1 if balance == 1 else 2)
    return words % {"count": credits_words(balance)}


def short_balance_words(account: LaminaStatus) -> str:
    """Return the balance, to show next to a cost in credits: "8", or "about 2 credits" if we have subtracted the cost
    of runs since Lamina last reported it."""
    return balance_words(account) if account.spent_since else credits_words(account.balance_left)


def left_words(account: LaminaStatus) -> str:
    """Return how many credits are left, to show next to a cost in credits: "8 left" or "about 2 credits left"."""
    left = short_balance_words(account)
    return _("%(credits)s left") % {"credits": left} if left else _("balance unknown")


def about_credits(expected: Decimal | None, low: Decimal | None = None, high: Decimal | None = None) -> str:
    """Return a cost such as "about 12 credits" or "about 12 credits (8 to 20)"; empty if unknown."""
    if expected is None:
        return ""
    values = {"amount": credits_words(expected)}
    count = plural_number(expected)
    if low is None or high is None or low >= high:
        return ngettext("about %(amount)s credit", "about %(amount)s credits", count) % values
    bounds = {"low": credits_words(low), "high": credits_words(high)}
    values["range"] = (_("%(low)s to %(high)s") % bounds).replace(" ", "\N{NO-BREAK SPACE}")
    return ngettext("about %(amount)s credit (%(range)s)", "about %(amount)s credits (%(range)s)", count) % values


def plural_number(amount: Decimal) -> int:
    """Return a whole number that takes the same plural form as `amount`; for example, 1.5 credits are plural."""
    return int(amount) if amount == int(amount) else max(2, math.ceil(amount))
