"""A page that waits for an app's form: when it looks again, and what it says meanwhile.

The worker has the form in a fraction of a second when Lamina answers at once, so the first looks come soon; a Lamina
that takes its time, or is away, is not asked about twice a second for an hour.
"""

from dataclasses import dataclass

from django.http import QueryDict

from runs.models import App
from runs.services.upkeep import health

FIRST_MS, GROWTH, MOST_MS = 250, 1.25, 5000
SLOW_AFTER_MS = 5000
FETCHING = "Fetching the form of this app from Lamina…"
SLOW = "Lamina takes longer than usual. The form appears here by itself."
AWAY = "We can't reach Lamina just now. The form appears here as soon as it answers."

KEYS = {FETCHING: "f", SLOW: "s", AWAY: "a"}


@dataclass(frozen=True)
class FormLook:
    """The next look: where, after how many milliseconds (a page without scripts: whole seconds), and the words."""

    url: str
    delay_ms: int
    plain_seconds: int
    words: str
    is_news: bool  # the words are others than at the last look: to be read aloud once


def form_look(app: App, query: QueryDict) -> FormLook:
    """The look after the one in QUERY, with whatever else the page was opened with (`from`, `preset`)."""
    text = query.get("look", "")
    count = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
    delays = [min(round(FIRST_MS * GROWTH**n), MOST_MS) for n in range(min(count, 40) + 1)]
    is_slow = sum(delays[:-1]) > SLOW_AFTER_MS
    following = query.copy()
    words = AWAY if health.lamina_status().away_since else SLOW if is_slow else FETCHING
    following["look"], following["said"] = str(min(count, 998) + 1), KEYS[words]
    return FormLook(
        url=f"{app.get_absolute_url()}?{following.urlencode()}",
        delay_ms=delays[-1],
        plain_seconds=1 if count < 4 else 4,
        words=words,
        is_news=query.get("said") != KEYS[words],
    )
