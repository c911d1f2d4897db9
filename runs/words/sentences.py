"""The portal's wording for states, waits, amounts and times, in one place."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext, npgettext_lazy, pgettext, pgettext_lazy

from runs.models import AT_LAMINA, LaminaStatus, Run
from runs.schema_forms.results import how_many

# The only list of run states as shown to people, in the order used by filters.
STATES: dict[str, Promise] = {
    "progress": pgettext_lazy("state of a run", "In progress"),
    "ready": pgettext_lazy("state of a run", "Ready"),
    "partly": pgettext_lazy("state of a run", "Partly ready"),
    "failed": pgettext_lazy("state of a run", "Failed"),
    "cancelled": pgettext_lazy("state of a run", "Cancelled"),
    "starting": pgettext_lazy("state of a run", "Starting"),
    "checking": pgettext_lazy("state of a run", "Checking"),
}


@dataclass(frozen=True)
class State:
    """A run's state as shown to people. `key` selects icon and colour; `detail` is a count like "1 of 2 ready"."""

    key: str  # starting, checking, progress, ready, partly, failed, cancelled
    word: str
    detail: str = ""


WAITS: dict[Run.Wait, Promise] = {
    Run.Wait.LAMINA: _lazy("We can't reach Lamina. This run will start automatically."),
    Run.Wait.BUDGET: _lazy("Many runs are being started. This one is waiting its turn."),
    Run.Wait.RATE: _lazy("Lamina asked us to wait. We'll start this run after that."),
    Run.Wait.APP: _lazy("Another run of this app is ahead. This one will start automatically."),
    Run.Wait.FILES: _lazy("Your files are being sent to Lamina."),
}


def state_of(run: Run) -> State:
    """Return the state of the run, as shown on all pages."""
    key = run.status
    if key in AT_LAMINA:
        key = "progress"
    elif key == "completed":
        key = "partly" if run.outputs_failed else "ready"
    return State(key, str(STATES[key]), _ready_of(run) if key in ("progress", "partly") else "")


def _ready_of(run: Run) -> str:
    if run.outputs_total < 2:
        return ""
    return _("%(ready)s of %(total)s ready") % {"ready": run.outputs_ready, "total": run.outputs_total}


def credits_words(amount: Decimal | None) -> str:
    """Return an amount such as "12", "4,250" or "4,250.5", without trailing zeros; empty if unknown."""
    if amount is None:
        return ""
    shown = amount.quantize(Decimal("0.01")).normalize()
    return number_format(f"{shown:f}", use_l10n=True, force_grouping=True)


def balance_words(account: LaminaStatus) -> str:
    """Return the balance: "1 credit", "4,250.5 credits", or "about 4,238 credits" if runs have been counted since
    Lamina last reported it; "" if unknown. What is only "about" has no fraction."""
    balance = account.balance_left
    if balance is None:
        return ""
    if account.spent_since:
        return about_credits(balance.quantize(Decimal(1)))
    words = ngettext("%(count)s credit", "%(count)s credits", 1 if balance == 1 else 2)
    return words % {"count": credits_words(balance)}


def short_balance_words(account: LaminaStatus) -> str:
    """Return the balance next to a cost in credits: "8", or "about 2 credits" if runs have been counted since."""
    return balance_words(account) if account.spent_since else credits_words(account.balance_left)


def left_words(account: LaminaStatus) -> str:
    """Return what is left, next to a cost in credits: "8 left" or "about 2 credits left"."""
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
    """Return a whole number that has the same plural form as `amount`: 1.5 credits are plural."""
    return int(amount) if amount == int(amount) else max(2, math.ceil(amount))


def makes_words(makes: dict[str, int]) -> str:
    """Return what an app makes, such as "makes 2 images and 1 video"; empty if the app doesn't say."""
    kinds = [kind for kind, count in makes.items() for _each in range(count)]
    return _("makes %(results)s") % {"results": how_many(kinds)} if kinds else ""


_AGO: dict[str, Promise] = {
    "minute": npgettext_lazy("age", "%(count)s min ago", "%(count)s min ago", "count"),
    "hour": npgettext_lazy("age", "%(count)s h ago", "%(count)s h ago", "count"),
    "day": npgettext_lazy("age", "%(count)s day ago", "%(count)s days ago", "count"),
    "week": npgettext_lazy("age", "%(count)s week ago", "%(count)s weeks ago", "count"),
    "month": npgettext_lazy("age", "%(count)s month ago", "%(count)s months ago", "count"),
    "year": npgettext_lazy("age", "%(count)s year ago", "%(count)s years ago", "count"),
}
# Shorter forms for phones, which have no room for "ago".
_BRIEF_AGO: dict[str, Promise] = {
    "minute": npgettext_lazy("brief age", "%(count)s min", "%(count)s min", "count"),
    "hour": npgettext_lazy("brief age", "%(count)s h", "%(count)s h", "count"),
    "day": npgettext_lazy("brief age", "%(count)s day", "%(count)s days", "count"),
    "week": npgettext_lazy("brief age", "%(count)s week", "%(count)s weeks", "count"),
    "month": npgettext_lazy("brief age", "%(count)s month", "%(count)s months", "count"),
    "year": npgettext_lazy("brief age", "%(count)s year", "%(count)s years", "count"),
}
_UNITS = {"year": 365 * 86400, "month": 30 * 86400, "week": 7 * 86400, "day": 86400, "hour": 3600, "minute": 60}


def age_words(at: datetime, now: datetime | None = None) -> str:
    """Return an age such as "just now", "5 min ago", "2 h ago" or "3 days ago"."""
    return _age(_AGO, at, now)


def brief_age_words(at: datetime, now: datetime | None = None) -> str:
    """Return a short age such as "just now", "5 min", "2 h" or "3 days"."""
    return _age(_BRIEF_AGO, at, now)


def _age(phrases: dict[str, Promise], at: datetime, now: datetime | None) -> str:
    seconds = ((now or timezone.now()) - at).total_seconds()
    for unit, length in _UNITS.items():
        if seconds >= length:
            return str(phrases[unit] % {"count": int(seconds // length)})
    return _("just now")


def clock_words(span: timedelta) -> str:
    """Return a duration as on a clock, such as "0:42", "12:05" or "1:02:03"."""
    seconds = max(0, int(span.total_seconds()))
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def usual_words(usual: float | None, slow: float | None) -> str:
    """Return the usual duration, such as "usually 2 to 3 min" or "usually about 20 s"; empty if not known yet."""
    if usual is None or slow is None:
        return ""
    low, high = _rounded(usual), _rounded(slow)
    if low == high:
        return _("usually about %(span)s") % {"span": span_words(timedelta(seconds=low))}
    if high < 60:
        return pgettext("seconds", "usually %(low)s to %(high)s s") % {"low": low, "high": high}
    if low >= 60 and high < 3600 and low % 60 == high % 60 == 0:
        return pgettext("minutes", "usually %(low)s to %(high)s min") % {"low": low // 60, "high": high // 60}
    spans = {"low": span_words(timedelta(seconds=low)), "high": span_words(timedelta(seconds=high))}
    return pgettext("time spans", "usually %(low)s to %(high)s") % spans


def _rounded(seconds: float) -> int:
    """Round to 1 s below ten seconds, 5 s below a minute, 30 s below ten minutes, and whole minutes above that."""
    step = 1 if seconds < 10 else 5 if seconds < 60 else 30 if seconds < 600 else 60
    return max(1, round(seconds / step) * step)


def span_words(span: timedelta) -> str:
    """Return a duration such as "42 s", "1 min 20 s" or "1 h 2 min"."""
    seconds = max(0, round(span.total_seconds()))
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    values = {"hours": hours, "minutes": minutes, "seconds": seconds}
    if hours and minutes:
        return pgettext("time span", "%(hours)s h %(minutes)s min") % values
    if hours:
        return pgettext("time span", "%(hours)s h") % values
    if minutes and seconds:
        return pgettext("time span", "%(minutes)s min %(seconds)s s") % values
    if minutes:
        return pgettext("time span", "%(minutes)s min") % values
    return pgettext("time span", "%(seconds)s s") % values
