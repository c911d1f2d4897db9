"""The catalogue: find an app by words and by what it makes."""

from typing import Any

from django.http import HttpResponse, QueryDict
from django.urls import reverse
from django.views.decorators.http import require_safe

from runs.http import PortalRequest, render_page
from runs.models import App
from runs.services import catalog
from runs.services.folding import fold, fold_words
from runs.services.pages.cards import app_card
from runs.services.team.people import mail_to_admins
from runs.services.upkeep import health

KINDS = (("", "All"), ("image", "Images"), ("video", "Videos"), ("text", "Texts"))
NEAREST = 3


@require_safe
def app_list(request: PortalRequest) -> HttpResponse:
    catalog.request_refresh_if_stale()
    q = request.GET.get("q", "").strip()[:200]
    makes = request.GET.get("makes", "")
    makes = makes if makes in dict(KINDS) else ""
    listed = App.objects.listed().select_related("thumbnail")
    found = listed.matching(fold_words(q))
    if makes:
        found = found.making(makes)
    apps = [app_card(app) for app in found]
    everything = apps or [app_card(app) for app in listed]
    context = {
        "section": "apps",
        "apps": apps,
        "q": q,
        "makes": makes,
        "chips": [(label, _list_url(q, kind), kind == makes) for kind, label in KINDS],
        "tell_admin_url": "" if apps else mail_to_admins(f"Lamina Portal: an app for {q}"),
        "nearest": [] if apps else _nearest(q, everything),
        "catalog_at": health.lamina_status().catalog_at,
        "has_catalog": bool(everything),
    }
    return render_page(request, "runs/app_list.html", context, partial="app-grid")


def _list_url(q: str, makes: str) -> str:
    query = QueryDict(mutable=True)
    for key, value in (("q", q), ("makes", makes)):
        if value:
            query[key] = value
    return f"{reverse('runs:app-list')}?{query.urlencode()}" if query else reverse("runs:app-list")


def _nearest(q: str, cards: list[Any]) -> list[Any]:
    """The three apps that share most letters-in-a-row with what was asked."""

    def pieces(text: str) -> set[str]:
        text = fold(text)
        return {text[i : i + 3] for i in range(len(text) - 2)}

    asked = pieces(q)
    return sorted(cards, key=lambda card: -len(asked & pieces(f"{card.name} {card.description}")))[:NEAREST]
