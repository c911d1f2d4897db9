"""A page that waits for an app's form: when it polls, and what it says meanwhile.

If Lamina is quick, the worker has the form in a fraction of a second, so the first polls come soon; if Lamina is slow
or down, polling slows down.
"""

from dataclasses import dataclass

from django.http import QueryDict

from runs.connection import status
from runs.models import App

FIRST_MS, GROWTH, MOST_MS = 250, 1.25, 5000
SLOW_AFTER_MS = 5000
FETCHING = "Fetching this app's form from Lamina…"
SLOW = "Lamina is taking longer than usual. The form will appear here."
AWAY = "We can't reach Lamina just now. The form will appear here when it answers."

KEYS = {FETCHING: "f", SLOW: "s", AWAY: "a"}


@dataclass(frozen=True)
class FormLook:
    """The next poll: where, after how many milliseconds (without scripts: whole seconds), and the words."""

    url: str
    delay_ms: int
    plain_seconds: int
    words: str
    is_news: bool  # the words changed since the last poll: read them aloud once


def form_look(app: App, query: QueryDict) -> FormLook:
    """The poll after the one in `query`, keeping the page's other parameters (`from`, `preset`)."""
    text = query.get("look", "")
    count = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
    delays = [min(round(FIRST_MS * GROWTH**n), MOST_MS) for n in range(min(count, 40) + 1)]
    is_slow = sum(delays[:-1]) > SLOW_AFTER_MS
    following = query.copy()
    words = AWAY if status.lamina_status().away_since else SLOW if is_slow else FETCHING
    following["look"], following["said"] = str(min(count, 998) + 1), KEYS[words]
    return FormLook(
        url=f"{app.get_absolute_url()}?{following.urlencode()}",
        delay_ms=delays[-1],
        plain_seconds=1 if count < 4 else 4,
        words=words,
        is_news=query.get("said") != KEYS[words],
    )
