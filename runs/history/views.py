"""History: a member's own runs, the team's runs and starred runs. The filter is in the URL."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from django.http import HttpResponse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_safe

from runs.audit.admin_access import record_openings
from runs.connection import status as health
from runs.connection.balance import are_examples_made
from runs.display.cards import RunCard, run_cards
from runs.display.match_lines import RunSearch
from runs.display.new_runs import page_opened
from runs.display.result_tiles import RunTiles, result_tiles
from runs.display.selection_bar import selection_bar
from runs.history import filter_bar, query_timeout, selection
from runs.history.filter_choices import Directory
from runs.history.filters import DRAFT, KINDS, Filter, state_choices
from runs.history.findable_apps import asks_newest, findable_apps
from runs.history.hints import mine_url
from runs.history.order import Cursor, RunListPage, first_page_with_apps, page_of
from runs.history.review_filters import DECISIONS
from runs.history.undo import take_undo
from runs.history.widen import Elsewhere, also_elsewhere, elsewhere
from runs.launching.open_drafts import NotStarted, draft_words, not_started
from runs.models import Member, Run, SavedView
from runs.web.http import PortalRequest, go_to, render_page, wants_fragment
from runs.words.fold import fold
from runs.words.highlight import Marker
from runs.words.moments import day_words, weekday_words

CLASSES = {"": "run-grid run-grid-long", "list": "run-grid run-grid-long is-list", "results": "runs-with-tiles"}
WITH_APPS_SECONDS = 2.0  # after that, give up and search for the page without the apps
DRAFTS_SHOWN = 200  # there is at most one per app
Rows = Sequence[RunCard | RunTiles]
EMPTY = {
    "mine": (gettext_noop("No runs yet"), gettext_noop("Everything you make is saved here, with its inputs.")),
    "team": (gettext_noop("Nothing shared yet"), gettext_noop("Runs shared with the team appear here.")),
    "starred": (gettext_noop("No stars yet"), gettext_noop("Star what matters, and the whole team will see it here.")),
}
NO_RESULTS = (gettext_noop("No results yet"), gettext_noop("Finished results appear here, where you can select them."))


@dataclass(frozen=True)
class Listing:
    """The runs that a filter finds, or what to suggest instead."""

    page: RunListPage
    instead: Elsewhere
    findable: set[int] | None = None  # the apps to offer in the filter form; None for all
    is_too_slow: bool = False


@require_safe
def history(request: PortalRequest) -> HttpResponse:
    filters = Filter.read(request.GET)
    directory = filters.directory(request.user)
    if filters.tab == "mine" and not directory.has_own:
        return go_to(request, replace(filters, tab="team").url())
    before, after = (Cursor.read(request.GET.get(name, "")) for name in ("before", "after"))
    listing = _listing(filters, request.user, directory, before, after)
    list_filters = listing.instead.wider.filter if listing.instead.wider else filters
    record_openings(request, listing.page.runs)  # there may be private runs among the selected results
    rows = _rows(listing, request.user, list_filters, directory)
    ids = _ids_of(rows)
    context = {
        "section": "history",
        "filters": filters,
        "continues": before is not None and bool(rows) and _heading(before.at) == _heading(rows[0].run.created_at),
        "undo": take_undo(request),
        "back": request.get_full_path(),
        "shown_ids": " ".join(ids),
        "new_runs": page_opened(filters) if filters.tab != "starred" and not (before or after) else None,
        **_list(listing, list_filters, rows),
        **_tools(filters, directory),
        **_instead(filters, listing, rows),
        "not_started": _drafts(filters, request) if filters.is_drafts else None,
        "is_all_binned": not rows and filters.tab == "mine" and not filters.conditions and _is_all_binned(request.user),
        **_besides(filters, directory, listing, is_first_page=not (before or after)),
        **_choices(filters, request.user, directory, listing.findable),
        **selection_bar(
            request.user,
            list_filters.place,
            ids,
            None if wants_fragment(request) else list_filters,  # the fragment doesn't include the bar
            directory=directory,
        ),
    }
    response = render_page(request, "history/history.html", context, partial="history-page")
    if request.htmx.target == "history-results":
        response["HX-Push-Url"] = filters.url()  # otherwise the URL would include the empty fields of the form
    return response


def _drafts(filters: Filter, request: PortalRequest) -> NotStarted:
    """Return the member's drafts that match the app, the days and the words of `filters`. A draft has no results, so no
    other filter fits any."""
    drafts = not_started(request.user, request.GET.get("dropped", ""), at_most=DRAFTS_SHOWN)
    if filters.conditions.keys() - {"state", "app", "from", "to", "q"}:
        return replace(drafts, drafts=[])
    matches = [
        draft
        for draft in drafts.drafts
        if filters.app in ("", draft.app.public_id)
        and filters.is_in_days(draft.updated_at)
        and all(word in fold(f"{draft.app.name} {draft_words(draft)}") for word in filters.words)
    ]
    return replace(drafts, drafts=matches)


def _listing(
    filters: Filter, member: Member, directory: Directory, before: Cursor | None, after: Cursor | None
) -> Listing:
    """Find the runs to list, taking at most `WITH_APPS_SECONDS` plus `SEARCH_SECONDS`. If nothing is found, look for
    what the person may have meant."""
    page, instead = RunListPage([]), Elsewhere()
    if filters.is_drafts:
        return Listing(page, instead)
    try:
        with_apps = None if before or after else _page_with_apps(filters, member, directory)
        with _limit(filters, query_timeout.SEARCH_SECONDS):
            page = with_apps or page_of(filters.runs(member, directory), before, after)
            if not page.runs and filters.conditions:
                instead = elsewhere(filters, member, directory)
            if instead.wider:
                page = page_of(instead.wider.filter.runs(member, directory))
                return Listing(page, instead, {run.app_id for run in page.runs})
            findable = findable_apps(filters, page, member, directory)
    except query_timeout.TookTooLong:
        return Listing(page, instead, is_too_slow=True)
    if page.runs and page.is_whole and not after:
        instead = also_elsewhere(filters, member, directory)
    return Listing(page, instead, findable)


def _page_with_apps(filters: Filter, member: Member, directory: Directory) -> RunListPage | None:
    """Return the first page of runs, with the apps that `findable_apps` needs. Return None if searching for
    both at once wouldn't help or takes too long: the caller then searches for just the page, which is faster because
    fewer runs have to be found."""
    if not asks_newest(filters) or filters.has_few(member, directory):
        return None
    app = directory.app_key(filters.app) if filters.app else None
    try:
        with _limit(filters, WITH_APPS_SECONDS):
            return first_page_with_apps(filters.without("app").runs(member, directory), app)
    except query_timeout.TookTooLong:
        return None


def _limit(filters: Filter, seconds: float) -> AbstractContextManager[None]:
    """Limit how long a search by words may take; other filters need no limit."""
    return query_timeout.at_most(seconds) if filters.q else nullcontext()


def _list(listing: Listing, filters: Filter, rows: Rows) -> dict[str, object]:
    """Return the list itself, grouped by day, and the URLs of its other pages."""
    page = listing.page
    return {
        "shown_query": filters.query,
        "groups": _by_day(rows),
        "next_url": filters.url(before=page.older) if page.older else "",
        "newer_url": filters.url(after=page.newer) if page.newer else "",
        "list_class": CLASSES[filters.view],
        "has_tools": True,
        "has_selection": bool(rows),
    }


def _tools(filters: Filter, directory: Directory) -> dict[str, object]:
    """Return what is shown above the list: tabs, and chips for the current filter."""
    return {
        "tabs": filter_bar.tabs(filters, has_own=directory.has_own),
        "view_switch": _view_switch(filters),
        "chips": filter_bar.chips(filters, directory),
        "offers": filter_bar.offers(filters),
        "day_shortcuts": filter_bar.day_shortcuts(filters, timezone.localdate()),
        "marker": Marker.of(filters.words, directory.lookups.similar),
        "is_filtered": bool(filters.conditions),
    }


def _instead(filters: Filter, listing: Listing, rows: Rows) -> dict[str, object]:
    """Return what to show if the list is empty, and links to other searches."""
    return {
        "wider": listing.instead.wider,
        "hints": listing.instead.hints,
        "other": listing.instead.other,
        "is_none_selected": filters.conditions.keys() == {"selected"} and not rows,
        "everything_url": filters.without(*filters.conditions).url(),
        "is_too_slow": listing.is_too_slow,
        "shorter": filter_bar.shorter(filters) if listing.is_too_slow else [],
        "empty": [_(sentence) for sentence in (NO_RESULTS if filters.view == "results" else EMPTY[filters.tab])],
    }


def _is_all_binned(member: Member) -> bool:
    """Return whether `member` has runs, but all of them are in the bin."""
    runs = Run.objects.owned_by(member)
    return not runs.exists() and Run.objects.in_bin_of(member).filter(member=member).exists()


def _besides(filters: Filter, directory: Directory, listing: Listing, *, is_first_page: bool) -> dict[str, object]:
    """Return notes for the first page about runs that aren't in the list.

    The link to the member's own runs is left out if those runs were already counted for another link. Example runs that
    are still being added are mentioned if a search by words in all apps finds no more than one page of runs, or if
    nothing is found.
    """
    page, is_told = listing.page, is_first_page and bool(filters.conditions) and not listing.is_too_slow
    is_told = is_told and not filters.is_drafts
    is_short = bool(filters.q and not filters.app and page.is_whole) or not page.runs
    is_counted = bool(filters.q) and listing.instead.is_counted
    return {
        "mine_url": mine_url(filters, directory) if is_told and not is_counted else "",
        "examples_follow": is_told and is_short and health.is_sandbox() and are_examples_made(),
    }


def _choices(filters: Filter, member: Member, directory: Directory, findable: set[int] | None) -> dict[str, object]:
    """Return the options of the filter form and the saved views. Only the apps in `findable` are offered."""
    people = [] if filters.tab == "mine" else directory.people
    saved = sorted(SavedView.objects.owned_by(member), key=lambda view: (fold(view.name), view.pk))
    views = [(view, Filter.parse(view.query)) for view in saved]
    return {
        "app_options": [
            (app.public_id, app.name, app.public_id == filters.app)
            for app in directory.apps
            if findable is None or app.pk in findable or app.public_id == filters.app
        ],
        "person_options": [(one.public_id, one.display_name, one.public_id == filters.by) for one in people],
        "decided_options": filter_bar.deciders(filters, directory),
        "waits_options": filter_bar.awaited(filters, member, directory),
        "decision_options": [(key, str(word), key == filters.decision) for key, word in DECISIONS.items()],
        "state_options": [
            (key, str(word), key == filters.state)
            for key, word in state_choices(filters.tab).items()
            if key != DRAFT or member.can_run
        ],
        "kind_options": [(key, _(word), key == filters.kind) for key, word in KINDS.items()],
        "views": [(view, view_filters.url(), view_filters == filters) for view, view_filters in views],
        "current_view": next((view for view, view_filters in views if view_filters == filters), None),
    }


def _rows(listing: Listing, viewer: Member, filters: Filter, directory: Directory) -> Rows:
    """Return the page's runs as cards, or their individual results in the view for results (only the selected ones if
    `filters` asks for those).

    Each card or result links to a page whose Previous and Next follow this list.
    """
    walk, runs = urlencode({"in": filters.query}), listing.page.runs
    search = RunSearch.by(filters, viewer, directory.lookups.similar)
    if filters.view != "results":
        return run_cards(runs, viewer, search, walk=walk)
    only = selection.ticked_results(viewer, runs) if filters.selected else None
    return result_tiles(runs, filters, walk=walk, only=only, search=search)


def _ids_of(rows: Rows) -> list[str]:
    """Return the ids of what can be selected: runs or single results."""
    return [one for row in rows for one in row.ids]


def _view_switch(filters: Filter) -> list[tuple[str, str, str, bool]]:
    """Return the views to choose from: for each, its icon, name and URL, and whether it is the current view."""
    views = {
        "": ("grid", _("Grid view")),
        "list": ("list", _("List view")),
        "results": ("image", _("Individual results")),
    }
    return [(icon, name, filters.in_view(view).url(), view == filters.view) for view, (icon, name) in views.items()]


def _by_day(rows: Rows) -> list[tuple[str, list[RunCard | RunTiles]]]:
    return [(heading, list(group)) for heading, group in groupby(rows, key=lambda row: _heading(row.run.created_at))]


def _heading(at: datetime) -> str:
    day, today = timezone.localtime(at).date(), timezone.localdate()
    if day == today:
        return _("Today")
    if (today - day).days == 1:
        return _("Yesterday")
    return weekday_words(day) if day.year == today.year else day_words(day)
