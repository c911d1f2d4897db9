"""Live updates: an open page says which runs it shows and gets back only what has changed."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode, urlsplit

from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from runs.display.cards import run_cards, version_token
from runs.display.run_page import run_page
from runs.engine import poller_wakeups, polling_schedule
from runs.history.search import Filter
from runs.launching.retry import retry_of
from runs.live.views_run import run_detail
from runs.models import Run, for_page
from runs.web.http import PortalRequest
from runs.words.sentences import state_of

MAX_RUNS = 200
TITLE_CHARS = 60  # in the tab and in announcements
COUNTS = ("outputs_ready", "outputs_failed", "outputs_total")
KNOWN_FIELDS = ("public_id", "version", "status", "opened_at", "started_at", "created_at", "app__slow_seconds", *COUNTS)


@dataclass(frozen=True)
class Seen:
    """A run as the page last saw it: its version, and a token for what was announced last."""

    version: int
    token: str

    @property
    def said(self) -> str:
        return self.token.partition("-")[2]

    @property
    def boxes(self) -> int:
        """Number of result boxes on the page."""
        count = self.token.rpartition("-")[2]
        return _number(count)


@require_safe
@never_cache
def live(request: PortalRequest) -> HttpResponse:
    """Return 204 if nothing changed, otherwise changed cards (panel and boxes for `page=run`) to swap out of band."""
    return _changes(request, _seen(request.GET.getlist("r")), request.GET.get("page", ""))


@require_safe
@never_cache
def run_status(request: PortalRequest, run_id: str) -> HttpResponse:
    """Return the live parts of one run, or the run's page if opened directly."""
    if not request.htmx:
        return run_detail(request, run_id)
    run = get_object_or_404(Run.objects.visible_to(request.user), public_id=run_id)
    token = request.GET.get("v", "0")
    return _changes(request, _seen([f"{run.public_id}:{token}"]), "run")


def _number(text: str) -> int:
    """Return `text` as a number; 0 if we can't have written it."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _seen(pairs: list[str]) -> dict[str, Seen]:
    seen = {}
    for pair in pairs[:MAX_RUNS]:
        public_id, _colon, token = pair.partition(":")
        number = token.partition("-")[0].partition(".")[0]
        seen[public_id] = Seen(_number(number), token)
    return seen


def _changes(request: PortalRequest, seen: dict[str, Seen], page_name: str) -> HttpResponse:
    is_run_page = page_name == "run"
    known = Run.objects.visible_to(request.user).filter(public_id__in=seen)
    runs = list(known.select_related("app").only(*KNOWN_FIELDS))
    active = [run for run in runs if run.is_active]
    _keep_watch(active)
    changed = [run.pk for run in runs if version_token(run) != seen[run.public_id].token]
    if not changed:
        return HttpResponse(status=204)
    wanted = Run.objects.filter(pk__in=changed)
    fresh = list(for_page(wanted) if is_run_page else wanted.for_cards())
    news = [run for run in fresh if version_token(run).partition("-")[2] != seen[run.public_id].said]
    context = {"oob": True, "announcement": " ".join(_announce(run) for run in news)}
    if is_run_page:
        page = run_page(fresh[0], request.user, is_swap=True, walk=_walk(request))
        known_as = seen[fresh[0].public_id]
        boxes = [box for box in page.boxes if box.version > known_as.version and box.position < known_as.boxes]
        title = f"{page.state.word} · {_short_title(fresh[0])} · Lamina Portal"
        context |= {"page": page, "run": fresh[0], "boxes": boxes, "page_title": title}
        context["retry"] = retry_of(fresh[0], request.user)
        context["new_boxes"] = [box for box in page.boxes if box.position >= known_as.boxes]
    else:
        has_tools = page_name in ("home", "history")
        cards = run_cards(fresh, request.user)
        if page_name == "history":
            walk = urlencode({"in": Filter.read(_query_of_page(request)).query})
            cards = [replace(card, url=f"{card.url}?{walk}") for card in cards]
        context |= {"cards": cards, "has_tools": has_tools}
        context["has_picks"] = page_name == "history"
    return render(request, "live/live.html", context)


def _query_of_page(request: PortalRequest) -> QueryDict:
    """Return the query of the polling page: a filter, or the list that a run was opened from."""
    return QueryDict(urlsplit(request.htmx.current_url or "").query)


def _walk(request: PortalRequest) -> str:
    """Return the list that Previous and Next follow, taken from the page's own address."""
    query = _query_of_page(request)
    return urlencode({"in": query["in"]}) if "in" in query else ""


def _keep_watch(active: list[Run]) -> None:
    """Record what is on screen, or else make sure that the poller is running; one query each, never both."""
    now = timezone.now()
    if any(run.opened_at is None or (now - run.opened_at).total_seconds() > 5 for run in active):
        polling_schedule.touch_opened(active, now)
    elif active:
        poller_wakeups.ensure_poller()


def _short_title(run: Run) -> str:
    return Truncator(run.display_title).chars(TITLE_CHARS)


def _announce(run: Run) -> str:
    state = state_of(run)
    values = {"title": _short_title(run), "state": state.word, "detail": state.detail}
    return (_("%(title)s: %(state)s, %(detail)s.") if state.detail else _("%(title)s: %(state)s.")) % values
