"""Home: what is in progress, what came last, and the way to something new."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from runs.http import PortalRequest, render_page
from runs.models import App, Run
from runs.services import catalog, waking
from runs.services.cards import app_card, run_cards

LATEST = 8
ACTIVE_SHOWN = 24
SUGGESTIONS = 3


@require_safe
def home(request: PortalRequest) -> HttpResponse:
    catalog.request_refresh_if_stale()
    catalog.request_balance_if_stale()
    mine = Run.objects.of(request.user).newest_first()
    active = run_cards(mine.active().for_cards()[:ACTIVE_SHOWN])
    latest = run_cards(mine.exclude(pk__in=[card.run.pk for card in active]).for_cards()[:LATEST])
    apps = [app_card(app) for app in App.objects.listed().select_related("thumbnail")]
    if active:
        waking.ensure_poller()
    context = {
        "section": "home",
        "active": active,
        "latest": latest,
        "apps": apps,
        "q": "",
        "is_first_visit": not active and not latest,
        "suggestions": apps[:SUGGESTIONS],
    }
    return render_page(request, "runs/home.html", context)
