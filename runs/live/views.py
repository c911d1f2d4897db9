"""Live updates: an open page says which runs it shows, and gets back only what has changed."""

from collections.abc import Container
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_htmx.http import trigger_client_event

from runs.audit.admin_access import record_openings
from runs.connection import balance, status
from runs.display import new_runs
from runs.display.bell import bell_of, token_of
from runs.display.cards import run_cards, version_token
from runs.display.comment_draft import run_draft
from runs.display.match_lines import RunSearch
from runs.display.result_boxes import OutputBox
from runs.display.review_count import count_words
from runs.display.run_page import run_page
from runs.display.share_panel import result_choice
from runs.display.timeline import timeline_of
from runs.engine import poller_wakeups, polling_schedule
from runs.history import selection
from runs.history.filters import Filter
from runs.launching.retry import retry_of
from runs.live.views_run import run_detail
from runs.models import Member, Run, Selection, for_page
from runs.notices import alerts, read_state
from runs.web.http import PortalRequest, connection_token
from runs.words.credits import balance_words
from runs.words.known_words import similar_to
from runs.words.numbers import number_in
from runs.words.run_states import state_of

MAX_RUNS = 200
TITLE_CHARS = 60  # maximum length of a title in the tab and in announcements, in characters
COUNTS = ("outputs_ready", "outputs_failed", "outputs_total")
TIMES = ("opened_at", "started_at", "running_at", "created_at")
KNOWN_FIELDS = ("public_id", "version", "status", "app__slow_seconds", *TIMES, *COUNTS)


@dataclass(frozen=True)
class PageRun:
    """A run as the page shows it: its version, and its token (`version_token`), which contains the last announced
    state."""

    version: int
    token: str

    @property
    def state(self) -> str:
        return self.token.partition("-")[2]

    @property
    def boxes(self) -> int:
        """The number of result boxes on the page."""
        count = self.token.rpartition("-")[2]
        return _number(count)


@require_safe
@never_cache
def live(request: PortalRequest) -> HttpResponse:
    """Respond with 204 if nothing has changed; otherwise, with the changed cards to swap in (for `page=run`, the panel
    and boxes). For `page=result`, only say that there are new comments."""
    return _changes(request, _page_runs(request.GET.getlist("r")), request.GET.get("page", ""))


@require_safe
@never_cache
def live_frame(request: PortalRequest) -> HttpResponse:
    """Return the bell, the balance and the number of results waiting for review; respond with 204 if the page is up to
    date.

    The page sends its bell's token (`n`), its balance (`b`), the number next to Review (`c`) and, while a run is
    active, `w`. Open pages request this once a minute, so it also keeps the balance up to date. Home and Mine also send
    when they were opened (`since`) and a token for the runs started elsewhere since then that they already know about
    (`k`).
    """
    balance.request_balance_if_stale()
    is_watching, started_at = new_runs.own_runs(request.user)
    own = _started_elsewhere(request, started_at)
    is_same = (
        request.GET.get("n", "") == token_of(request.user.news_at)
        and bool(request.GET.get("w")) == is_watching
        and request.GET.get("b", "") == balance_words(status.lamina_status())
        and request.GET.get("c", "") == count_words(request.user)
    )
    if is_same and own is None:
        return HttpResponse(status=204)
    frame = {"oob": True} if is_same else _frame(request.user, is_watching=is_watching)
    return render(request, "live/live.html", frame | {"new_runs": own})


def _started_elsewhere(request: PortalRequest, started_at: datetime | None) -> new_runs.NewRuns | None:
    """Return the runs that the member has started since the page was opened; None if the page already knows about all
    of them.

    `started_at` is when the member last started a run; it saves a query if the page is up to date.
    """
    since, token = request.GET.get("since", ""), request.GET.get("k", "")
    if not token and not new_runs.is_after(started_at, since):
        return None
    is_home = request.GET.get("page") == "home"
    filters = Filter() if is_home else replace(Filter.read(_query_of_page(request)), tab="mine", by="")
    own = new_runs.news_since(since, filters, request.user, reverse("runs:home") if is_home else "")
    return None if own is None or own.token == token else own


@require_safe
@never_cache
def live_team(request: PortalRequest) -> HttpResponse:
    """Return the runs that teammates have shared since the page was opened; respond with 204 if the page already knows
    about all of them (`k`)."""
    filters = Filter.read(_query_of_page(request)) if request.GET.get("page") == "history" else Filter(tab="team")
    news = new_runs.news_since(request.GET.get("since", ""), replace(filters, tab="team"), request.user)
    if news is None or news.token == request.GET.get("k", ""):
        return HttpResponse(status=204)
    return render(request, "live/_new_runs.html", {"new_runs": news, "oob": True})


def _frame(member: Member, *, is_watching: bool | None = None) -> dict[str, Any]:
    """Return the context for the bell, the balance and the number of results waiting for review."""
    status.forget_status()  # when a run ends, the balance changes
    if is_watching is None:
        is_watching = Run.objects.owned_by(member).active().exists()
    return {"oob": True, "has_frame": True, "bell": bell_of(member, is_watching=is_watching)}


@require_safe
@never_cache
def run_status(request: PortalRequest, run_id: str) -> HttpResponse:
    """Return the changed parts of one run, or the whole run page if the URL was opened directly."""
    if not request.htmx:
        return run_detail(request, run_id)
    run = get_object_or_404(Run.objects.visible_to(request.user), public_id=run_id)
    token = request.GET.get("v", "0")
    return _changes(request, _page_runs([f"{run.public_id}:{token}"]), "run")


def _number(text: str) -> int:
    """Return `text` as a number; 0 if it isn't a number that we could have sent."""
    return number_in(text, 0, 999_999_999, 0)


def _page_runs(pairs: list[str]) -> dict[str, PageRun]:
    page_runs = {}
    for pair in pairs[:MAX_RUNS]:
        public_id, _colon, token = pair.partition(":")
        number = token.partition("-")[0].partition(".")[0]
        page_runs[public_id] = PageRun(_number(number), token)
    return page_runs


def _changes(request: PortalRequest, page_runs: dict[str, PageRun], page_name: str) -> HttpResponse:
    visible = Run.objects.visible_to(request.user).filter(public_id__in=page_runs)
    runs = list(visible.select_related("app").only(*KNOWN_FIELDS)) if page_runs else []
    _keep_watch([run for run in runs if run.is_active], is_watching="w" in request.GET)
    if page_name == "result" and any(run.version != page_runs[run.public_id].version for run in runs):
        # The page then fetches its comments, which marks notices about them as read. The bell is next.
        return trigger_client_event(HttpResponse(status=204), "comments-changed")
    pks = [run.pk for run in runs if page_name != "result" and version_token(run) != page_runs[run.public_id].token]
    if any(run.is_final for run in runs if run.pk in pks):
        # The run, with its notice, may have ended after the member was loaded for this request
        request.user.refresh_from_db(fields=["news_at", "unread"])
    has_banner = _is_banner_old(request)
    if not pks and not has_banner and not _is_bell_old(request):
        return HttpResponse(status=204)
    changed_runs = Run.objects.filter(pk__in=pks)
    if page_name == "run":
        parts = _run_parts(request, list(for_page(changed_runs))[:1], page_runs)
    else:
        parts = _card_parts(request, list(changed_runs.for_cards()), page_name)
    fresh: list[Run] = parts.pop("fresh")
    record_openings(request, fresh)
    context: dict[str, Any] = {"oob": True, "has_banner": has_banner} | parts | _bell_parts(request, fresh)
    # Runs that the bell already announces, so that they aren't announced twice
    in_bell = {line.told_id for line in context["bell"].lines} if "bell" in context else set()
    to_announce = [run for run in fresh if version_token(run).partition("-")[2] != page_runs[run.public_id].state]
    context["announcement"] = " ".join(_announce(run) for run in to_announce if run.public_id not in in_bell)
    return render(request, "live/live.html", context)


def _is_bell_old(request: PortalRequest) -> bool:
    """Return whether the bell on the page is out of date. Pages without a bell don't send `n`."""
    token = request.GET.get("n")
    return token is not None and token != token_of(request.user.news_at)


def _is_banner_old(request: PortalRequest) -> bool:
    """Return whether the page shows another banner about the connection to Lamina than it should. Pages without room
    for one don't send `connection`."""
    token = request.GET.get("connection")
    return token is not None and token != connection_token(status.lamina_status())


def _bell_parts(request: PortalRequest, fresh: list[Run]) -> dict[str, Any]:
    """Return the bell and the balance if there's anything new, or if one of the member's runs on this page has
    ended."""
    has_ended = any(run.is_final and run.belongs_to(request.user) for run in fresh)
    return _frame(request.user) if _is_bell_old(request) or (has_ended and "n" in request.GET) else {}


def _run_parts(request: PortalRequest, fresh: list[Run], page_runs: dict[str, PageRun]) -> dict[str, Any]:
    """Return the changed parts of a run page. That page shows people what's new with the run, so notices about it are
    marked as read."""
    if not fresh:
        return {"fresh": []}
    run = fresh[0]
    read_state.opened(request, run)
    walk, shows_all = _walk(request), "comments" in _query_of_page(request)
    page = run_page(run, request.user, is_swap=True, walk=walk)
    page_run, retry = page_runs[run.public_id], retry_of(run, request.user)
    # New boxes may come before others, but their rows are always newer
    ids_on_page = {output.public_id for output in sorted(run.outputs.all(), key=attrgetter("pk"))[: page_run.boxes]}
    old_boxes = [box for box in page.boxes if box.public_id in ids_on_page]
    ticked = selection.ticked(request.user, Selection.Place.RESULTS, [box.public_id for box in page.boxes])
    return {
        "fresh": fresh,
        "page": page,
        "timeline": timeline_of(page, request.user, shows_all=shows_all),
        "draft": run_draft(run, walk, shows_all=shows_all),
        "run": run,
        "boxes": [box for box in old_boxes if box.version > page_run.version],
        "frames": [box for box in old_boxes if run.is_final and box.is_reshaped and box.version <= page_run.version],
        "new_boxes": _new_boxes(page.boxes, ids_on_page),
        "choice": result_choice(request.user, run, ticked) if run.is_final else None,
        "page_title": f"{page.state.word} · {_short_title(run)} · Lamina Portal",
        "retry": retry,
        "has_asked": retry.can_ask and alerts.has_asked(request.user),
        "ticked": ticked,
    }


def _new_boxes(boxes: list[OutputBox], ids_on_page: Container[str]) -> list[tuple[str, list[OutputBox]]]:
    """Return the boxes that aren't on the page yet (their public ids aren't in `ids_on_page`), in groups, each with the
    place where htmx inserts it."""
    place, groups = "afterbegin:#outputs", list[tuple[str, list[OutputBox]]]()
    for is_shown, group in groupby(boxes, key=lambda box: box.public_id in ids_on_page):
        some = list(group)
        groups += [] if is_shown else [(place, some)]
        place = f"afterend:#{some[-1].dom_id}"
    return groups


def _card_parts(request: PortalRequest, fresh: list[Run], page_name: str) -> dict[str, Any]:
    """Return the changed cards in a list of runs."""
    parts: dict[str, Any] = {}
    filters = _list_of_page(request) if page_name == "history" and fresh else Filter()
    search = RunSearch.by(filters, request.user, similar_to(filters.words) if filters.words else {})
    walk = urlencode({"in": filters.query}) if page_name == "history" else ""
    cards = run_cards(fresh, request.user, search, walk=walk)
    if page_name == "history" and fresh:
        parts["ticked"] = selection.ticked(request.user, filters.tab, [run.public_id for run in fresh])
        parts["marker"] = search.marker
    return parts | {
        "fresh": fresh,
        "cards": cards,
        "has_tools": page_name in ("home", "history"),
        "has_selection": page_name == "history",
    }


def _query_of_page(request: PortalRequest) -> QueryDict:
    """Return the query string of the polling page: a filter, or the list that a run was opened from."""
    return QueryDict(urlsplit(request.htmx.current_url or "").query)


def _list_of_page(request: PortalRequest) -> Filter:
    """Return the filter for the list on a History page. The page sends it, because it may be wider than the one in the
    URL."""
    query = request.GET.get("in")
    return Filter.read(_query_of_page(request)) if query is None else Filter.parse(query)


def _walk(request: PortalRequest) -> str:
    """Return the query string that tells the Previous and Next links which list to follow, taken from the page's
    URL."""
    query = _query_of_page(request)
    return urlencode({"in": query["in"]}) if "in" in query else ""


def _keep_watch(active: list[Run], *, is_watching: bool) -> None:
    """Record that the active runs are on screen, unless this was done in the last 5 seconds. If there is nothing to
    record but a run is active, make sure that the poller is running. Either way, this takes one query.

    `is_watching` means that there is an active run that isn't on this page.
    """
    now = timezone.now()
    if any(run.opened_at is None or (now - run.opened_at).total_seconds() > 5 for run in active):
        polling_schedule.touch_opened(active, now)
    elif active or is_watching:
        poller_wakeups.ensure_poller()


def _short_title(run: Run) -> str:
    return Truncator(run.display_title).chars(TITLE_CHARS)


def _announce(run: Run) -> str:
    state = state_of(run)
    values = {"title": _short_title(run), "state": state.word, "detail": state.detail}
    return (_("%(title)s: %(state)s, %(detail)s.") if state.detail else _("%(title)s: %(state)s.")) % values
