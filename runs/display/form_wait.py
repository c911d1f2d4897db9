"""A page that is waiting for an app form: when it polls, and what message it shows in the meantime.

The page polls fast at first and then more slowly, because the worker often gets the form in a fraction of a second.
After several minutes it stops, so that a forgotten page doesn't keep asking Lamina.
"""

from dataclasses import dataclass

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _lazy

from runs.connection import status
from runs.models import App
from runs.web.automatic import AUTO
from runs.words.numbers import number_in

FIRST_MS, GROWTH, MOST_MS = 250, 1.25, 5000
SLOW_AFTER_MS = 5000
MOST_LOOKS = 100  # about seven minutes, or six and a half without JavaScript
FETCHING, SLOW, AWAY = "f", "s", "a"  # values in the URL for the last message shown
SENTENCES: dict[str, Promise] = {
    FETCHING: _lazy("Fetching this app's form from Lamina…"),
    SLOW: _lazy("Lamina is taking longer than usual. The form will appear here."),
    AWAY: _lazy("We can't reach Lamina. The form will appear here once we can."),
}
LATE = _lazy("Lamina hasn't sent this form yet.")


@dataclass(frozen=True)
class FormLook:
    """The next poll: its URL, its delay (`delay_ms`, or `plain_seconds` without JavaScript), and the message to show
    until then. If `is_over` is set, the page no longer polls, and `url` is for checking again by hand."""

    url: str
    delay_ms: int
    plain_seconds: int
    words: str
    is_news: bool  # the message has changed since the last poll, so screen readers should announce it
    is_over: bool = False


def form_look(app: App, query: QueryDict) -> FormLook:
    """Return the poll that follows the one in `query`. The page's other parameters (`from`, `preset`) are kept."""
    count = number_in(query.get("look", ""), 0, 999, 0)
    delays = [min(round(FIRST_MS * GROWTH**n), MOST_MS) for n in range(min(count, 40) + 1)]
    is_slow = sum(delays[:-1]) > SLOW_AFTER_MS
    following = query.copy()
    following.pop(AUTO, None)  # the templates add it, so it mustn't pile up
    message = AWAY if status.lamina_status().away_since else SLOW if is_slow else FETCHING
    if count >= MOST_LOOKS:
        following.pop("look", None)
        following.pop("said", None)
        again = f"?{following.urlencode()}" if following else ""
        return FormLook(app.get_absolute_url() + again, 0, 0, str(LATE), is_news=True, is_over=True)
    following["look"], following["said"] = str(min(count, 998) + 1), message
    return FormLook(
        url=f"{app.get_absolute_url()}?{following.urlencode()}",
        delay_ms=delays[-1],
        plain_seconds=1 if count < 4 else 4,
        words=str(SENTENCES[message]),
        is_news=query.get("said") != message,
    )
