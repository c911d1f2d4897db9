"""The catalogue, where people find apps by keyword and by the kinds of results they produce. Our own apps come first,
then others on Lamina."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from runs import catalog
from runs.catalog import arrange, own_search, pasted_ids
from runs.catalog.pages_search import LaminaPart, PageState, asked_part, part_of
from runs.connection import status
from runs.display.cards import run_cards
from runs.display.match_lines import RunSearch
from runs.display.no_apps import no_apps
from runs.history.filters import Filter
from runs.history.home_search import find_runs
from runs.launching.open_drafts import not_started
from runs.launching.prefill import ADDED
from runs.models import App
from runs.models.addresses import url_with
from runs.models.app import AppQuerySet
from runs.team.admins import mail_to_admins
from runs.web.http import PortalRequest, go_to, render_page, wants_fragment
from runs.words.highlight import Marker
from runs.words.numbers import number_in

KINDS = ("", "image", "video", "audio", "text")
PAGE = 48  # apps shown at once
MOST_APPS = 1_000_000
MOST_TRIES = 99
LONGEST, LONGEST_URL = 200, 4000  # characters of a search, and of a URL pasted there


class AppFilters(NamedTuple):
    """What a page of apps was asked for: words, a kind of result, and "1" for only apps with a star."""

    q: str
    makes: str
    starred: str

    def url(self, name: str, **more: str) -> str:
        return url_with(name, **self._asdict(), **more)

    def narrow(self, apps: AppQuerySet) -> AppQuerySet:
        """Return those of `apps` with the kind of result and the star."""
        apps = apps.making(self.makes) if self.makes else apps
        return apps.starred() if self.starred else apps


@dataclass(frozen=True)
class AppSection:
    """The apps of one group on a page. `is_continued` says whether the page already shows the group's heading."""

    dom_id: str
    name: str
    apps: list[App]
    is_continued: bool


@require_safe
def app_list(request: PortalRequest) -> HttpResponse:
    """Show what we find in our own catalogue. If `ask` is given (because JavaScript is off), ask Lamina too; otherwise,
    `app_search` does that."""
    catalog.request_refresh_if_stale()
    filters = _filters_of(request)
    q, makes, starred = filters
    ids = pasted_ids.ids_in(q)
    by_id = pasted_ids.own_app(ids)
    by_id = by_id if by_id and by_id.is_open_to(request.user) else None
    if by_id is not None and not request.htmx:
        return _opened(request, by_id, _part(request, q, PageState(request.user, makes)))
    listed = App.objects.listed().offered_to(request.user)
    groups = arrange.in_order(filters.narrow(listed)) if not q else []
    matches = own_search.AppMatches([by_id.pk], [], Marker()) if by_id else _matches(listed, filters, groups)
    part = _part(request, q, PageState(request.user, makes, matches.ids, _tries(request)))
    start = _number(request, "after", MOST_APPS)
    is_more = request.htmx.target == "app-more"
    is_found, of_runs = bool(matches.ids), _runs_context(request, q)
    apps, partly, nearest = _apps(
        matches.whole[start : start + PAGE],
        [] if start else matches.partly,
        # Only guess at apps if nothing was found: matching runs are better than guesses
        [] if is_found or ids or starred or of_runs.get("run_cards") else own_search.nearest(listed, q),
    )
    more = start + PAGE if len(matches.whole) > start + PAGE else 0
    has_catalog = is_found or listed.exists()
    context = {
        "section": "apps",
        "apps": apps,
        "sections": _sections(groups, apps, start, is_more=is_more),
        "partly": partly,
        "count": len(matches.whole),
        "more_url": filters.url("app-list", after=str(more)) if more else "",
        "first_url": filters.url("app-list") if start else "",
        **filters._asdict(),
        "chips": _chips(listed, matches, filters, "1" if "runs" in request.GET else ""),
        "marker": matches.marker,
        "tell_admin_url": _tell_admin_url(request, q) if not is_found else "",
        "nearest": nearest,
        "catalog_at": status.lamina_status().catalog_at,
        "no_apps": None if has_catalog else no_apps(request.user),
        "not_started": None if q or request.htmx else not_started(request.user, request.GET.get("dropped", "")),
        "is_id": bool(ids),
        **of_runs,
        **_part_context(request, part, filters, is_going=not wants_fragment(request)),
    }
    return render_page(request, "catalog/app_list.html", context, partial="app-more" if is_more else "app-grid")


@require_safe
@never_cache
def app_search(request: PortalRequest) -> HttpResponse:
    """Show Lamina's results so far, asking Lamina if needed; respond with 204 if nothing has changed since `seen`.

    With `go` (the words were submitted, not just typed), a pasted URL opens its app.
    """
    filters = _filters_of(request)
    if not wants_fragment(request):
        return redirect(filters.url("app-list", ask="1"))
    apps = App.objects.listed().offered_to(request.user)
    above = frozenset() if pasted_ids.ids_in(filters.q) else _matches(apps, filters).ids
    part = _part(request, filters.q, PageState(request.user, filters.makes, above, _tries(request)), is_asked=True)
    if part and part.opens and "go" in request.GET:
        return _opened(request, part.opens.app, part)
    if part and part.token and part.token == request.GET.get("seen"):
        return HttpResponse(status=204)
    context = _part_context(request, part, filters, is_going="go" in request.GET)
    return render_page(request, "catalog/app_search.html", context)


def _filters_of(request: PortalRequest) -> AppFilters:
    """Return what the query string asks for. Of a long pasted URL, only the most likely id is kept."""
    makes, q = request.GET.get("makes", ""), request.GET.get("q", "").strip()
    if len(q) > LONGEST:
        ids = pasted_ids.ids_in(q[:LONGEST_URL])
        q = ids[0] if ids else q[:LONGEST]
    return AppFilters(q, makes if makes in KINDS else "", "1" if request.GET.get("starred") == "1" else "")


def _chips(
    apps: AppQuerySet, matches: own_search.AppMatches, filters: AppFilters, runs: str
) -> list[tuple[str, str, bool, str]]:
    """For each kind of result, and for the apps with a star, return the label, the URL, whether it's selected, and its
    icon. Audio is rare, so it's only offered if an app produces it."""
    labels = {
        "image": _("Images"),
        "video": _("Videos"),
        "audio": _("Audio"),
        "text": _("Texts"),
    }
    makes = filters.makes
    # If not, we didn't check, or searched only some apps
    is_known = matches.kinds is not None and not makes and not filters.starred
    has_audio = "audio" in (matches.kinds or ()) if is_known else makes == "audio" or apps.making("audio").exists()
    chips = [(pgettext("apps", "All"), AppFilters(filters.q, "", ""), not makes and not filters.starred, "")]
    for kind, label in labels.items():
        if kind != "audio" or has_audio:
            chips.append((label, filters._replace(makes=kind), kind == makes, ""))
    chips.append(
        (_("Starred"), filters._replace(starred="" if filters.starred else "1"), bool(filters.starred), "star")
    )
    return [(label, there.url("app-list", runs=runs), is_chosen, icon) for label, there, is_chosen, icon in chips]


def _matches(apps: AppQuerySet, filters: AppFilters, groups: Sequence[arrange.AppGroup] = ()) -> own_search.AppMatches:
    """Return the apps that match the words; if there are none, all apps in `groups`, in the admin's order."""
    if groups:
        return own_search.AppMatches([app.pk for group in groups for app in group.apps], [], Marker())
    return own_search.find(filters.narrow(apps), filters.q)


def _sections(groups: Sequence[arrange.AppGroup], apps: list[App], start: int, *, is_more: bool) -> list[AppSection]:
    """Return the apps on the page by group; an empty list if there are no groups. If `is_more` is set, the page
    already shows earlier apps."""
    if not any(group.name for group in groups):
        return []
    by_pk = {app.pk: app for app in apps}
    return [
        AppSection(
            dom_id=f"group-{n}-{start}",
            name=group.name or _("Other apps"),
            apps=[by_pk[one.pk] for one in group.apps if one.pk in by_pk],
            is_continued=is_more and group.apps[0].pk not in by_pk,
        )
        for n, group in enumerate(groups)
        if any(one.pk in by_pk for one in group.apps)
    ]


def _is_fetched_ahead(request: PortalRequest) -> bool:
    """Return whether a browser is prefetching the page. Prefetched pages don't ask Lamina."""
    return "prefetch" in request.headers.get("Sec-Purpose", "")


def _part(request: PortalRequest, q: str, page_state: PageState, *, is_asked: bool = False) -> LaminaPart | None:
    ask = request.GET.get("ask", "")
    if (ask or is_asked) and not _is_fetched_ahead(request):
        return asked_part(q, page_state, is_again=ask == "again")
    return part_of(q, page_state)


def _runs_context(request: PortalRequest, q: str) -> dict[str, Any]:
    """Return the runs that match `q`, found the same way as on Home; none unless the request has a `runs` parameter."""
    if "runs" not in request.GET:
        return {"has_runs": False}
    matches = find_runs(request.user, q)
    filters = Filter(tab="both", q=q, is_similar=matches.is_wider)
    run_search = replace(RunSearch.by(filters, request.user, {}), marker=matches.marker)
    cards = run_cards(matches.runs, request.user, run_search)
    return {"has_runs": True, "run_matches": matches, "run_cards": cards}


def _part_context(
    request: PortalRequest, part: LaminaPart | None, filters: AppFilters, *, is_going: bool
) -> dict[str, Any]:
    """Return `part` with the URLs for the next poll (with and without JavaScript) and for trying again."""
    if part is None:
        return {"part": None}
    tries = str(_tries(request) + 1) if part.is_held_back else ""
    look = {"seen": part.token, "tries": tries, "go": "1" if is_going else ""}
    return {
        "part": part,
        "look_url": filters.url("app-search", **look),
        "again_url": filters.url("app-search", ask="again"),
        "plain_look_url": filters.url("app-list", ask="1", tries=tries),
        "plain_again_url": filters.url("app-list", ask="again"),
    }


def _tries(request: PortalRequest) -> int:
    """Return how many times this page has waited and then tried again on its own."""
    return _number(request, "tries", MOST_TRIES)


def _number(request: PortalRequest, name: str, most: int) -> int:
    """Return the number in the query parameter `name`; 0 if it isn't a number or is above `most`."""
    return number_in(request.GET.get(name, ""), 0, most, 0)


def _apps(*lists: list[int]) -> list[list[App]]:
    """Return the apps for lists of primary keys, in the same order, using one query."""
    apps = App.objects.for_cards().in_bulk([pk for one in lists for pk in one])
    return [[apps[pk] for pk in one if pk in apps] for one in lists]


def _tell_admin_url(request: PortalRequest, q: str) -> str:
    """Return a link for telling an admin which app is missing; "" for admins themselves."""
    if request.user.is_admin:
        return ""
    return mail_to_admins(_("Lamina Portal: I need an app for %(words)s") % {"words": q})


def _opened(request: PortalRequest, app: App, part: LaminaPart | None) -> HttpResponse:
    """Open the app whose URL or id was pasted. The app counts as new for as long as the search is stored.

    That it's new is said in the URL: this page may ask again before the browser leaves it, and would then store a
    message twice, or lose it.
    """
    is_added = part is not None and part.opens is not None and part.opens.is_added
    return go_to(request, f"{app.get_absolute_url()}?{ADDED}=1" if is_added else app.get_absolute_url())
