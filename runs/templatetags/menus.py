"""Menus on cards.

A page has 24 menus that differ only in id, URL and title, so each kind of menu is rendered once per language and then
filled in.
"""

import re
from dataclasses import astuple, dataclass
from functools import cache

from django import template
from django.conf import settings
from django.template import Context
from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, override

from runs.display.cards import RunCard
from runs.models import Member
from runs.models.addresses import PLACE, path_to

register = template.Library()
# Placeholders until the values are filled in. Escaping doesn't change them.
STANDS_FOR_FORM, STANDS_FOR_TITLE = "0form0", "0title0"
STANDS_FOR = re.compile(f"({PLACE}|{STANDS_FOR_FORM}|{STANDS_FOR_TITLE})")


@dataclass(frozen=True)
class RunMenu:
    """The entries of `display/_run_menu.html` to show, depending on the run and on the person looking at it."""

    can_begin: bool  # the app can be run, and the person may run apps
    can_repeat: bool
    has_results: bool
    can_share: bool  # with the team, even while the run is active; guests need results to look at
    can_share_with_team: bool  # the team can't see it yet
    can_delete: bool

    @classmethod
    def of(cls, card: RunCard, member: Member) -> "RunMenu":
        run, can_begin = card.run, card.run.app.is_runnable_by(member)
        can_share = card.can_change and bool(run.outputs_ready or run.is_active)
        return cls(
            can_begin=can_begin,
            can_repeat=can_begin and not run.is_active,
            has_results=bool(run.outputs_ready),
            can_share=can_share,
            can_share_with_team=can_share and run.shared_at is None,
            can_delete=card.can_change and not run.is_active,
        )


@register.simple_tag(takes_context=True)
def run_menu(context: Context, card: RunCard) -> SafeString:
    """Render the menu of a card and its button. The links are plain, so that the menu works without scripts."""
    values = {
        PLACE: card.run.public_id,
        STANDS_FOR_FORM: escape(card.form_url),
        STANDS_FOR_TITLE: escape(card.title),
    }
    menu = RunMenu.of(card, context["user"])
    if not any(astuple(menu)):
        return mark_safe("")  # a run without results, shown to a viewer
    pieces = _pieces(menu, get_language() or settings.LANGUAGE_CODE)
    # The template escapes the pieces, and the values are escaped above.
    return mark_safe("".join(values.get(piece, piece) for piece in pieces))  # noqa: S308


@cache
def _pieces(menu: RunMenu, language: str) -> list[str]:
    """Return the HTML of the menu in `language`, split at the placeholders, each of which is a piece of its own."""
    stand_ins = {
        "id": PLACE,
        "quick_id": PLACE if menu.has_results else "",
        "title": STANDS_FOR_TITLE,
        "form_url": STANDS_FOR_FORM,
        "again_url": path_to("run-rerun", PLACE),
        "share_url": path_to("run-share", PLACE),
        "delete_url": path_to("run-delete", PLACE),
        "compare_url": f"{path_to('compare')}?r={PLACE}",
        "download_url": f"{path_to('results-download')}?r={PLACE}",
    }
    with override(language):
        return STANDS_FOR.split(render_to_string("display/_run_menu.html", {"menu": menu, **stand_ins}))
