"""History: a member's own runs, the team's and starred ones. The filter is in the address."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from itertools import groupby

from django.http import HttpResponse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_safe

from runs.display.cards import RunCard, run_cards
from runs.history import bulk_actions, filters, query_timeout
from runs.history.filter_choices import Directory
from runs.history.order import Cursor, Page, page_of
from runs.history.search import KINDS, Filter
from runs.history.views_bulk import take_undo
from runs.models import Run
from runs.web.http import PortalRequest, go_to, render_page
from runs.words.moments import day_words, weekday_words
from runs.words.sentences import STATES

EMPTY = {
    "mine": (gettext_noop("No runs yet"), gettext_noop("Everything you make is saved here, with its inputs.")),
    "team": (gettext_noop("Nothing shared yet"), gettext_noop("Runs shared with the team appear here.")),
    "starred": (gettext_noop("No stars yet"), gettext_noop("Star what matters. The whole team sees it here.")),
}


@require_safe
def history(request: PortalRequest) -> HttpResponse:
    found = Filter.read(request.GET)
    has_own = request.user.can_run or Run.objects.owned_by(request.user).exists()
    if found.tab == "mine" and not has_own:
        return go_to(request, replace(found, tab="team").url())
    directory = Directory.load(request.user, is_mine=found.tab == "mine")
    before, after = (Cursor.read(request.GET.get(name, "")) for name in ("before", "after"))
    page, hints, is_too_slow = Page([]), [], False
    try:
        with query_timeout.at_most(query_timeout.SEARCH_SECONDS) if found.q else nullcontext():
            page = page_of(found.runs(request.user, directory), before, after)
            if not page.runs and found.narrowing:
                hints = filters.hints(found, request.user, directory)
    except query_timeout.TookTooLong:
        is_too_slow = True
    walk = urlencode({"in": found.query})  # so that Previous and Next follow this list
    cards = [replace(card, url=f"{card.url}?{walk}") for card in run_cards(page.runs, request.user)]
    is_filtered = bool(found.narrowing)
    context = {
        "section": "history",
        "found": found,
        "groups": _by_day(cards),
        "next_url": found.url(before=page.older) if page.older else "",
        "newer_url": found.url(after=page.newer) if page.newer else "",
        "continues": before is not None and bool(cards) and _heading(before.at) == _heading(cards[0].created_at),
        "tabs": filters.tabs(found, has_own=has_own),
        "pictures_url": replace(found, view="").url(),
        "list_url": replace(found, view="list").url(),
        "chips": filters.chips(found, directory),
        "is_filtered": is_filtered,
        "has_tools": True,
        "has_picks": bool(cards),
        "at_most": bulk_actions.AT_MOST,
        "hints": hints,
        "is_too_slow": is_too_slow,
        "shorter": filters.shorter(found) if is_too_slow else [],
        "empty": [_(sentence) for sentence in EMPTY[found.tab]],
        "undo": take_undo(request),
    }
    response = render_page(
        request, "history/history.html", context | _choices(found, directory), partial="history-page"
    )
    if request.htmx.target == "history-results":
        response["HX-Push-Url"] = found.url()  # otherwise the form would push its empty fields, too
    return response


def _choices(found: Filter, directory: Directory) -> dict[str, object]:
    """Return the form's options and the saved views."""
    people = [] if found.tab == "mine" else directory.people
    views = [(view, Filter.parse(view.detail)) for view in directory.views]
    return {
        "app_options": [(app.id, app.name, app.id == found.app) for app in directory.apps],
        "person_options": [(person.id, person.name, person.id == found.by) for person in people],
        "state_options": [(key, str(word), key == found.state) for key, word in STATES.items()],
        "kind_options": [(key, _(word), key == found.kind) for key, word in KINDS.items()],
        "views": [(view, wanted.url(), wanted == found) for view, wanted in views],
        "current_view": next((view for view, wanted in views if wanted == found), None),
    }


def _by_day(cards: list[RunCard]) -> list[tuple[str, list[RunCard]]]:
    return [(heading, list(group)) for heading, group in groupby(cards, key=lambda card: _heading(card.created_at))]


def _heading(at: datetime) -> str:
    day, today = timezone.localtime(at).date(), timezone.localdate()
    if day == today:
        return _("Today")
    if (today - day).days == 1:
        return _("Yesterday")
    return weekday_words(day) if day.year == today.year else day_words(day)
