"""The cards of runs: `{% run_card card %}`."""

from typing import Any

from django import template
from django.template import Context

from runs.display.cards import RunCard
from runs.words.run_states import state_of

register = template.Library()
register.filter("state", state_of)
FIRST_ROW = 5  # number of cards in the first row on a wide screen
SHARED = ("user", "oob", "has_tools", "has_selection", "ticked", "marker")


@register.inclusion_tag("display/_run_card.html", takes_context=True)
def run_card(context: Context, card: RunCard, *, place: int = 0) -> dict[str, Any]:
    """Render the card of a run.

    `place` counts the cards from the top of the page: pictures in the first row load at once, before the browser knows
    the layout. The context has `user`. It may have `has_tools` (show the star and menu), `has_selection` (show a
    checkbox, which is ticked if the run's id is in `ticked`), `marker` (highlights search words) and `oob` (the card
    replaces the one on the page with the same id).
    """
    is_eager = bool(context.get("oob")) or 0 < place <= FIRST_ROW
    return {name: context.get(name) for name in SHARED} | {"card": card, "run": card.run, "is_eager": is_eager}
