"""History: a member's own runs, newest first; filters live in the address."""

from datetime import datetime
from itertools import groupby
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.http import require_safe

from runs.http import PortalRequest, render_page
from runs.models import App, Run
from runs.models.run import RunQuerySet
from runs.services.cards import RunCard, run_cards
from runs.services.folding import fold_words
from runs.services.wording import STATES

PAGE = 24


@require_safe
def history(request: PortalRequest) -> HttpResponse:
    filters = _filters(request)
    shown_as = {"view": "list"} if request.GET.get("view") == "list" else {}
    mine = Run.objects.of(request.user)
    used = mine.filter(app=OuterRef("pk"))
    apps = list(App.objects.filter(Exists(used)).only("name", "public_id", "position"))
    last = _last_of_page_before(request)
    found = _page(_filtered(mine, filters), last)
    cards = run_cards(found[:PAGE])
    next_url = ""
    if len(found) > PAGE:
        next_url = _url(filters | shown_as | {"before": found[PAGE - 1].public_id})
    names = {app.public_id: app.name for app in apps}
    context = {
        "section": "history",
        "groups": _by_day(cards),
        "next_url": next_url,
        "continues": last is not None and bool(cards) and _heading(last.created_at) == _heading(cards[0].created_at),
        "q": filters.get("q", ""),
        "app_options": [(app.public_id, app.name, app.public_id == filters.get("app")) for app in apps],
        "state_options": [(key, word, key == filters.get("state")) for key, word in STATES.items()],
        "chips": [
            (_chip(key, value, names), _url(_without(filters, key) | shown_as)) for key, value in filters.items()
        ],
        "is_filtered": bool(filters),
        "hints": [] if cards or not filters else _hints(mine, filters, names),
    }
    return render_page(request, "runs/history.html", context, partial="history-page")


def _filters(request: PortalRequest) -> dict[str, str]:
    wanted = {key: request.GET.get(key, "").strip()[:200] for key in ("q", "app", "state")}
    if wanted["state"] not in STATES:
        wanted["state"] = ""
    return {key: value for key, value in wanted.items() if value}


def _filtered(runs: RunQuerySet, filters: dict[str, str]) -> RunQuerySet:
    if "q" in filters:
        runs = runs.matching(fold_words(filters["q"]))
    if "app" in filters:
        runs = runs.filter(app__public_id=filters["app"])
    if "state" in filters:
        runs = runs.in_state(filters["state"])
    return runs


def _last_of_page_before(request: PortalRequest) -> Run | None:
    """The run this page goes on after (`?before=`); None on the first page."""
    before = request.GET.get("before", "")[:16]
    mine = Run.objects.of(request.user)
    return mine.filter(public_id=before).only("created_at").first() if before else None


def _page(runs: RunQuerySet, last: Run | None) -> list[Run]:
    """One page and one run more, which tells that there is a next one."""
    if last is not None:
        runs = runs.before(last)
    return list(runs.newest_first().for_cards()[: PAGE + 1])


def _by_day(cards: list[RunCard]) -> list[tuple[str, list[RunCard]]]:
    return [(heading, list(group)) for heading, group in groupby(cards, key=lambda card: _heading(card.created_at))]


def _heading(at: datetime) -> str:
    day, today = timezone.localtime(at).date(), timezone.localdate()
    if day == today:
        return "Today"
    if (today - day).days == 1:
        return "Yesterday"
    return date_format(day, "l, j F" if day.year == today.year else "j F Y")


def _url(filters: dict[str, str]) -> str:
    query = urlencode(filters)
    return f"{reverse('runs:history')}?{query}" if query else reverse("runs:history")


def _without(filters: dict[str, str], key: str) -> dict[str, str]:
    return {name: value for name, value in filters.items() if name != key}


def _chip(key: str, value: str, names: dict[str, str]) -> str:
    if key == "app":
        return names.get(value, "an app that is gone")
    return STATES[value] if key == "state" else f"“{value}”"


def _hints(mine: RunQuerySet, filters: dict[str, str], names: dict[str, str]) -> list[tuple[str, str, int]]:
    """For each filter: what dropping it would show, and how many."""
    hints = []
    for key, value in filters.items():
        fewer = _without(filters, key)
        count = _filtered(mine, fewer).count()
        if count:
            hints.append((f"Without {_chip(key, value, names)}", _url(fewer), count))
    return hints
