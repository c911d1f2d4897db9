"""Measures the processor time of the pages that people open most, with warm caches, and counts their queries.

All but the last measurement run in this process and thread, without a socket. Only processor time counts, so other work
on the machine hardly matters. The figures include the test client's own work, which is also reported separately. The
last measurement counts the processor time of the real web server.
"""

import gc
import time
from dataclasses import dataclass
from statistics import median

from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.http import urlencode

from runs.display.cards import version_token
from runs.models import App, Member, Output, ReviewItem, ReviewRequest, Run
from tests.bench.portal import Portal
from tests.bench.processes import MS_PER_TICK, ticks_of_all
from tests.bench.report import Report
from tests.support.factories import make_kept, make_run, make_stored
from tests.support.visitor import Visitor

CARDS = 24
UNCHANGED_POLL = f"unchanged poll of {CARDS} cards"
OPEN_PAGES = 200
ROUNDS = 40
WARM_UP = 5
CONNECTIONS = 6
OPENED = 300
MAX_APP_MS, MAX_PAGE_MS, MAX_POLL_MS = 22, 28, 3.5
MAX_APP_QUERIES, MAX_HISTORY_QUERIES = 7, 10
SESSION_AND_MEMBER = 2  # each request needs this many queries to read its session and member
MAX_POLL_QUERIES = 2 + SESSION_AND_MEMBER


@dataclass(frozen=True)
class Page:
    """A page to measure, with its limits (None: the figure is only reported) and the response status it should
    return."""

    path: str
    max_ms: float | None = None
    max_queries: int | None = None
    status: int = 200


def bench(portal: Portal, report: Report) -> None:
    call_command("collectstatic", interactive=False, verbosity=0)
    portal.load_catalog()
    member = portal.make_member("anna")
    runs = make_runs(member)
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(member)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)  # as in gunicorn.conf.py
    report.note("the client and middleware alone (/healthz)", f"{measure(client, Page('/healthz'))[0]:.1f} ms")
    taken = {name: report_page(report, client, name, page) for name, page in pages_of(runs).items()}
    for often, seconds in {"every 2.5 s": 2.5, "every second": 1.0}.items():
        share = OPEN_PAGES * taken[UNCHANGED_POLL] / 1000 / seconds
        report.note(f"{OPEN_PAGES} open pages that ask {often}: processors busy with it", f"{share:.2f}")
    count_app_pages(portal, report, member, runs[0].app.get_absolute_url())
    ask_for_decisions(portal.make_member("ben"), runs)  # last, because Home would show these requests
    report_page(report, client, f"review queue of {CARDS} results", Page("/review/"))


def make_runs(member: Member) -> list[Run]:
    """Create enough runs to fill one page, each with a picture."""
    app = App.objects.listed().filter(schema__isnull=False)[0]
    runs = [make_run(member, app, status="completed") for _ in range(CARDS)]
    for n, run in enumerate(runs):
        make_kept(run, make_stored((400 + n, 300)))
    return runs


def ask_for_decisions(asker: Member, runs: list[Run]) -> None:
    Run.objects.filter(pk__in=[run.pk for run in runs]).update(shared_at=timezone.now())
    request = ReviewRequest.objects.create(asker=asker)
    outputs = Output.objects.filter(run__in=runs, position=0)
    ReviewItem.objects.bulk_create(
        ReviewItem(request=request, output=output, position=n) for n, output in enumerate(outputs)
    )


def pages_of(runs: list[Run]) -> dict[str, Page]:
    """Return the pages to measure, keyed by name, for the owner of `runs` to open."""
    run = runs[0]
    seen = urlencode({"r": [f"{one.public_id}:{version_token(one)}" for one in runs]}, doseq=True)
    return {
        "app page": Page(run.app.get_absolute_url(), MAX_APP_MS, MAX_APP_QUERIES),
        f"History of {CARDS} cards": Page("/history/", MAX_PAGE_MS, MAX_HISTORY_QUERIES),
        "Home": Page("/", MAX_PAGE_MS),
        "run page": Page(run.get_absolute_url(), MAX_PAGE_MS),
        "result page": Page(run.outputs.all()[0].get_absolute_url()),
        UNCHANGED_POLL: Page(f"/live/?page=history&{seen}", MAX_POLL_MS, MAX_POLL_QUERIES, 204),
    }


def count_app_pages(portal: Portal, report: Report, member: Member, path: str) -> None:
    """Measure how much processor time the real web server needs for the app page at `path`, compressed as browsers get
    it."""
    web = portal.start_web()
    visitors = [Visitor(portal.url, member) for _ in range(CONNECTIONS)]
    for visitor in visitors * WARM_UP:
        visitor.get(path)
    before = ticks_of_all(web)
    for visitor in visitors * (OPENED // CONNECTIONS):
        visitor.get(path)
    seconds = (ticks_of_all(web) - before) * MS_PER_TICK / 1000
    portal.processes.stop(web)
    report.note("app pages per second of the web server's processor time", f"{OPENED / seconds:.0f}")


def report_page(report: Report, client: Client, name: str, page: Page) -> float:
    """Add the page's rows to `report`; return its processor time in ms."""
    taken, queries = measure(client, page)
    what = f"{name}, median of {ROUNDS}"
    if page.max_ms is None:
        report.note(what, f"{taken:.1f} ms ({queries} queries)")
    else:
        report.at_most(what, taken, page.max_ms, " ms", aside=f"{queries} queries")
    if page.max_queries is not None:
        report.at_most(f"{name}, queries", queries, page.max_queries)
    return taken


def measure(client: Client, page: Page) -> tuple[float, int]:
    """Return the median processor time of a response in ms, and its number of queries."""
    cache.clear()
    for _ in range(WARM_UP):
        get(client, page)
    with CaptureQueriesContext(connection) as queries:
        get(client, page)
    count = len(queries)  # read now, since the next request clears the log
    return 1000 * median(timed(client, page) for _ in range(ROUNDS)), count


def timed(client: Client, page: Page) -> float:
    begun = time.thread_time()
    get(client, page)
    return time.thread_time() - begun


def get(client: Client, page: Page) -> None:
    answer = client.get(page.path)
    if answer.status_code != page.status:
        raise RuntimeError(f"{page.path} returned {answer.status_code}")
