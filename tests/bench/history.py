"""Measures server time and queries for a long History, and for polls from open pages when nothing has changed.

Times are measured over loopback on the real web server, from the request to the response headers. Queries are counted
in this process, on the same database.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from statistics import median
from urllib.parse import urlencode

from django.test import Client
from django.utils import timezone

from runs.display.cards import version_token
from runs.engine.poller_wakeups import POLLER
from runs.history.order import Cursor
from runs.models import App, Lease, Member, Run
from runs.models.run import RunQuerySet
from tests.bench.long_history import RARE, make_history
from tests.bench.measure import MAX_MS, ROUNDS, SEARCH_MS, Wire, count_queries, measure_page, report_time
from tests.bench.portal import Portal
from tests.bench.report import Report, number, percentile
from tests.support.factories import make_run
from tests.support.visitor import Visitor, session_cookie

PAGE = 24
OPEN_PAGES = 200
POLL_EVERY = 2.5  # seconds between an open page's polls, as in static/live.js
POLLS_EACH = 8
CARDS_ON_PAGE = 24
MAX_POLL_QUERIES = 4  # queries: session, member and two more
MAX_POLL_BYTES = 700
MAX_POLL_MS = 100.0


def bench(portal: Portal, report: Report) -> None:
    many, few = portal.make_member("many"), portal.make_member("few")
    begun = time.monotonic()
    make_history(many, few, portal.runs)
    portal.start_web()
    with report.part(f"history of {portal.runs:,}"):
        report.note("made in", f"{number(time.monotonic() - begun)} s")
    for member in (many, few):
        visitor = Visitor(portal.url, member)
        for what, query in queries(member).items():
            with report.part(f"{member.name}, {what}"):
                measure_page(report, visitor, member, f"/history/{query}", SEARCH_MS if "q=" in query else MAX_MS)
    with report.part("poll of an unchanged page"):
        measure_poll(portal, report, many)
    with report.part(f"{OPEN_PAGES} open pages"):
        measure_open_pages(portal, report, many)


def queries(member: Member) -> dict[str, str]:
    """Return the History requests to measure: query strings by name."""
    app = App.objects.order_by("pk")[3].public_id
    somebody = Member.objects.order_by("-pk").values_list("public_id", flat=True)[50]
    mine, team = Run.objects.owned_by(member).newest_first(), Run.objects.shared_by_others(member).newest_first()
    asked = {
        "Mine": {},
        "Mine, page 1,000": {"before": place(mine)},
        "Mine, one app": {"app": app},
        "Mine, audio": {"kind": "audio"},
        "Mine, checking": {"state": "checking"},
        "Mine, a video, partly ready": {"kind": "video", "state": "partly"},
        "Mine, a week": {"from": "2026-01-05", "to": "2026-01-11"},
        "Mine, single results": {"view": "results"},
        "Mine, single results, page 1,000": {"view": "results", "before": place(mine)},
        "Mine, single results, audio": {"view": "results", "kind": "audio"},
        "Team": {"tab": "team"},
        "Team, page 1,000": {"tab": "team", "before": place(team)},
        "Team, one person": {"tab": "team", "by": somebody},
        "Team, one app": {"tab": "team", "app": app},
        "Team, checking": {"tab": "team", "state": "checking"},
        "Team, failed": {"tab": "team", "state": "failed"},
        "Team, audio of one app": {"tab": "team", "kind": "audio", "app": app},
        "Starred": {"tab": "starred"},
        "Starred, audio": {"tab": "starred", "kind": "audio"},
        "a common word": {"tab": "team", "q": "teapot"},
        "single results of a common word": {"tab": "team", "q": "teapot", "view": "results"},
        "two words and an app": {"tab": "team", "q": "golden light", "app": app},
        "a word of the oldest runs": {"q": RARE},
        "a word of no run": {"tab": "team", "q": "submarine"},
        "two letters of no run": {"q": "xq"},
        "Japanese": {"tab": "team", "q": "東京の朝"},
        "a person's name": {"tab": "team", "q": "number77"},
    }
    return {what: f"?{urlencode(query)}" if query else "" for what, query in asked.items()}


def place(runs: RunQuerySet) -> str:
    """Return the cursor for page 1,000, or for the last full page if the list is shorter."""
    last = min(999 * PAGE, runs.count() - PAGE - 1) - 1
    return str(Cursor.of(runs[max(0, last)]))


def measure_poll(portal: Portal, report: Report, member: Member) -> None:
    """Measure polls from a page of active runs when nothing has changed."""
    app = App.objects.order_by("pk")[0]
    pks = [make_run(member, app).pk for _ in range(CARDS_ON_PAGE)]
    runs = Run.objects.filter(pk__in=pks)
    held_until = timezone.now() + timedelta(hours=1)
    Lease.objects.update_or_create(name=POLLER, defaults={"until": held_until, "holder": "bench"})
    path = f"/live/?{urlencode([('r', f'{run.public_id}:{version_token(run)}') for run in runs])}"
    client = Client(headers={"HX-Request": "true"}, SERVER_NAME="127.0.0.1")
    client.force_login(member)
    runs.update(opened_at=timezone.now())
    just_seen = count_queries(client, path, 204)
    runs.update(opened_at=timezone.now() - timedelta(minutes=1))
    seen_long_ago = count_queries(client, path, 204)
    report.at_most("queries, including session and member", max(just_seen, seen_long_ago), MAX_POLL_QUERIES)
    with Wire(portal.port, session_cookie(member)) as wire:
        report.at_most("bytes with headers", max(wire.poll(path)[0] for _ in range(ROUNDS)), MAX_POLL_BYTES, " B")
        report_time(report, lambda: wire.poll(path)[1], MAX_POLL_MS)


def measure_open_pages(portal: Portal, report: Report, member: Member) -> None:
    """Measure many open pages, each polling every 2.5 s like `live.js`, when nothing has changed."""
    app = App.objects.order_by("pk")[0]
    pages = []
    for _ in range(OPEN_PAGES):
        run = make_run(member, app)
        Run.objects.filter(pk=run.pk).update(opened_at=timezone.now() + timedelta(hours=1))
        pages.append(f"/live/?{urlencode([('r', f'{run.public_id}:{version_token(run)}')])}")
    cookies = [session_cookie(member) for _ in pages]  # not in the threads, since each of them would open the database
    begun = time.monotonic()

    def watch(page: int) -> list[float]:
        taken = []
        with Wire(portal.port, cookies[page]) as wire:
            for turn in range(POLLS_EACH):
                due = begun + 1 + (turn + page / OPEN_PAGES) * POLL_EVERY
                time.sleep(max(0.0, due - time.monotonic()))
                taken.append(wire.poll(pages[page])[1])
        return taken

    with ThreadPoolExecutor(OPEN_PAGES) as pool:
        times = [taken for page in pool.map(watch, range(OPEN_PAGES)) for taken in page[1:]]
    report.at_most(
        "server time, p95", percentile(times, 95), MAX_POLL_MS, " ms", aside=f"median {number(median(times))}"
    )
