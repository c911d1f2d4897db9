"""The catalogue: find apps by words and by what they make, first ours, then others on Lamina."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from runs import catalog
from runs.catalog import own_search, pasted_ids
from runs.catalog.pages_search import Part, Shown, asked_part, part_of
from runs.connection import status
from runs.display.cards import AppCard, app_card
from runs.models import App
from runs.models.app import AppQuerySet
from runs.team.admins import mail_to_admins
from runs.web.http import PortalRequest, go_to, render_page, wants_fragment
from runs.words.fold import fold

KINDS = ("", "image", "video", "text")
NEAREST = 3


@require_safe
def app_list(request: PortalRequest) -> HttpResponse:
    """Show our own results. With `ask` (a page without scripts), also ask Lamina; otherwise `app_search` does."""
    catalog.request_refresh_if_stale()
    q, makes = _asked_for(request)
    ids = pasted_ids.ids_in(q)
    by_id = App.objects.filter(remote_id__in=ids).first() if ids else None
    if by_id is not None and not request.htmx:
        return _opened(request, by_id, _part(request, q, Shown(makes)))
    listed = App.objects.listed().select_related("thumbnail")
    found = own_search.Found([by_id], []) if by_id else _found(listed, q, makes)
    part = _part(request, q, Shown(makes, found.ids, _tries(request)))
    apps, partly = [app_card(app) for app in found.whole], [app_card(app) for app in found.partly]
    everything = apps or [app_card(app) for app in listed]
    is_found = bool(apps or partly)
    context = {
        "section": "apps",
        "apps": apps,
        "partly": partly,
        "q": q,
        "makes": makes,
        "chips": _chips(q, makes),
        "tell_admin_url": "" if is_found else mail_to_admins(_("Lamina Portal: an app for %(words)s") % {"words": q}),
        "nearest": [] if is_found or ids else _nearest(q, everything),
        "catalog_at": status.lamina_status().catalog_at,
        "has_catalog": bool(everything) or by_id is not None,
        "is_id": bool(ids),
        **_part_context(request, part, q, makes, is_going=not wants_fragment(request)),
    }
    return render_page(request, "catalog/app_list.html", context, partial="app-grid")


@require_safe
@never_cache
def app_search(request: PortalRequest) -> HttpResponse:
    """Show Lamina's results so far, asking Lamina if needed; 204 if nothing is new since `seen`.

    With `go` (the words were submitted, not just typed), a pasted address opens its app.
    """
    q, makes = _asked_for(request)
    if not wants_fragment(request):
        return redirect(_url("runs:app-list", q=q, makes=makes, ask="1"))
    above = frozenset() if pasted_ids.ids_in(q) else _found(App.objects.listed(), q, makes).ids
    part = _part(request, q, Shown(makes, above, _tries(request)), is_asked=True)
    if part and part.opens and "go" in request.GET:
        return _opened(request, part.opens.card.app, part)
    if part and part.token and part.token == request.GET.get("seen"):
        return HttpResponse(status=204)
    context = _part_context(request, part, q, makes, is_going="go" in request.GET)
    return render_page(request, "catalog/app_search.html", context)


def _asked_for(request: PortalRequest) -> tuple[str, str]:
    makes = request.GET.get("makes", "")
    return request.GET.get("q", "").strip()[:200], makes if makes in KINDS else ""


def _chips(q: str, makes: str) -> list[tuple[str, str, bool]]:
    """Return a label and an address for each kind of result, and whether it is selected."""
    labels = {"": pgettext("apps", "All"), "image": _("Images"), "video": _("Videos"), "text": _("Texts")}
    return [(labels[kind], _url("runs:app-list", q=q, makes=kind), kind == makes) for kind in KINDS]


def _found(listed: AppQuerySet, q: str, makes: str) -> own_search.Found:
    return own_search.find(listed.making(makes) if makes else listed, q)


def _is_fetched_ahead(request: PortalRequest) -> bool:
    """Return whether a browser is prefetching the page. Such pages don't ask Lamina and show no messages."""
    return "prefetch" in request.headers.get("Sec-Purpose", "")


def _part(request: PortalRequest, q: str, shown: Shown, *, is_asked: bool = False) -> Part | None:
    ask = request.GET.get("ask", "")
    if (ask or is_asked) and not _is_fetched_ahead(request):
        return asked_part(q, shown, is_again=ask == "again")
    return part_of(q, shown)


def _part_context(request: PortalRequest, part: Part | None, q: str, makes: str, *, is_going: bool) -> dict[str, Any]:
    """Return `part` with the addresses for the next poll (with and without scripts) and for trying again."""
    if part is None:
        return {"part": None}
    tries = str(_tries(request) + 1) if part.is_held_back else ""
    look = {"seen": part.token, "tries": tries, "go": "1" if is_going else ""}
    return {
        "part": part,
        "look_url": _url("runs:app-search", q=q, makes=makes, **look),
        "again_url": _url("runs:app-search", q=q, makes=makes, ask="again"),
        "plain_look_url": _url("runs:app-list", q=q, makes=makes, ask="1", tries=tries),
        "plain_again_url": _url("runs:app-list", q=q, makes=makes, ask="again"),
    }


def _tries(request: PortalRequest) -> int:
    """Return how often this page has retried by itself after a wait."""
    text = request.GET.get("tries", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 3 else 0


def _opened(request: PortalRequest, app: App, part: Part | None) -> HttpResponse:
    """Open the app of a pasted address or id. The app counts as new while the search is stored."""
    if part and part.opens and part.opens.is_added and not _is_fetched_ahead(request):
        messages.success(
            request, _("Found on Lamina and added. It goes on everyone's list when someone stars or runs it.")
        )
    return go_to(request, app.get_absolute_url())


def _url(name: str, **given: str) -> str:
    query = QueryDict(mutable=True)
    query.update({key: value for key, value in given.items() if value})
    return f"{reverse(name)}?{query.urlencode()}" if query else reverse(name)


def _nearest(q: str, cards: list[AppCard]) -> list[AppCard]:
    """Return the three apps that share the most trigrams with the search."""

    def pieces(text: str) -> set[str]:
        text = fold(text)
        return {text[i : i + 3] for i in range(len(text) - 2)}

    asked = pieces(q)
    return sorted(cards, key=lambda card: -len(asked & pieces(f"{card.name} {card.description}")))[:NEAREST]
