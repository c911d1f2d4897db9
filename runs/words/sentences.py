"""How the portal says things: states, waits, failures, amounts and times, in plain words and in one place."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.timesince import timesince

from runs.models import AT_LAMINA, Run
from runs.schema_forms.results import how_many

# The one list of a run's states as people know them, in the order of a filter.
STATES = {
    "progress": "In progress",
    "ready": "Ready",
    "partly": "Partly ready",
    "failed": "Failed",
    "cancelled": "Cancelled",
    "starting": "Starting",
    "checking": "Checking",
}


@dataclass(frozen=True)
class State:
    """A run's state as people read it. KEY names icon and colour, DETAIL is its number ("1 of 2 ready")."""

    key: str  # starting, checking, progress, ready, partly, failed, cancelled
    word: str
    detail: str = ""


WAITS = {
    Run.Wait.LAMINA: "We can't reach Lamina. This run waits and starts by itself.",
    Run.Wait.BUDGET: "Many runs are being started. This one is waiting its turn.",
    Run.Wait.RATE: "Lamina asks us to wait. We start it then.",
    Run.Wait.APP: "Another start of this app comes first. This one follows by itself.",
    Run.Wait.FILES: "Your files are being handed over.",
}


def state_of(run: Run) -> State:
    """The one list of states, used everywhere."""
    key = run.status
    if key in AT_LAMINA:
        key = "progress"
    elif key == "completed":
        key = "partly" if run.outputs_failed else "ready"
    return State(key, STATES[key], _ready_of(run) if key in ("progress", "partly") else "")


def _ready_of(run: Run) -> str:
    return f"{run.outputs_ready} of {run.outputs_total} ready" if run.outputs_total > 1 else ""


def credits_words(amount: Decimal | None) -> str:
    """ "12", "4,250", "4,250.5": no zeros that tell nothing; empty when unknown."""
    if amount is None:
        return ""
    shown = amount.quantize(Decimal("0.01")).normalize()
    return number_format(f"{shown:f}", use_l10n=True, force_grouping=True)


def about_credits(expected: Decimal | None, low: Decimal | None = None, high: Decimal | None = None) -> str:
    """ "about 12 credits (8 to 20)"; empty when unknown."""
    if expected is None:
        return ""
    unit = "credit" if expected == 1 else "credits"
    words = f"about {credits_words(expected)} {unit}"
    if low is not None and high is not None and low < high:
        words += f" ({credits_words(low)}\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}{credits_words(high)})"
    return words


def makes_words(makes: dict[str, int]) -> str:
    """ "makes 2 images and 1 video"; empty when the app does not say."""
    kinds = [kind for kind, count in makes.items() for _ in range(count)]
    return f"makes {how_many(kinds)}" if kinds else ""


def age_words(at: datetime, now: datetime | None = None) -> str:
    """ "just now", "5 min ago", "2 h ago", "3 days ago"."""
    seconds = ((now or timezone.now()) - at).total_seconds()
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{int(seconds // 60)} min ago"
    if seconds < 86400:
        return f"{int(seconds // 3600)} h ago"
    return f"{timesince(at, now, depth=1).replace(chr(160), ' ')} ago"


def clock_words(span: timedelta) -> str:
    """ "0:42", "12:05", "1:02:03"."""
    seconds = max(0, int(span.total_seconds()))
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def usual_words(usual: float | None, slow: float | None) -> str:
    """ "usually 2 to 3 min", "usually about 20 s"; empty while nobody can know."""
    if usual is None or slow is None:
        return ""
    low, high = _rounded(usual), _rounded(slow)
    if low == high:
        return f"usually about {span_words(timedelta(seconds=low))}"
    if low >= 60 and low % 60 == high % 60 == 0:
        return f"usually {low // 60} to {span_words(timedelta(seconds=high))}"
    if high < 60:
        return f"usually {low} to {high} s"
    return f"usually {span_words(timedelta(seconds=low))} to {span_words(timedelta(seconds=high))}"


def _rounded(seconds: float) -> int:
    """To 1 s below ten seconds, 5 s below a minute, 30 s below ten minutes, else whole minutes."""
    step = 1 if seconds < 10 else 5 if seconds < 60 else 30 if seconds < 600 else 60
    return max(1, round(seconds / step) * step)


def span_words(span: timedelta) -> str:
    """ "42 s", "1 min 20 s", "1 h 2 min"."""
    seconds = max(0, round(span.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        minutes, seconds = divmod(seconds, 60)
        return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
