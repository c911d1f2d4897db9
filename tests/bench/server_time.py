"""Measures the processor time of the pages that people open most, with warm caches, and counts their queries.

Everything runs in this process and thread, without a socket. Only processor time counts, so other work on the machine
changes little. The figures include the test client's own work, which is told as well.
"""

import gc
import time
from statistics import median

from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from runs.models import App
from tests.bench.portal import Portal
from tests.bench.report import Report
from tests.support.factories import make_kept, make_run, make_stored

CARDS = 24
ROUNDS = 40
WARM_UP = 5
MAX_APP_MS, MAX_HISTORY_MS, MAX_HOME_MS = 6, 12, 15
MAX_HISTORY_QUERIES = 8


def bench(portal: Portal, report: Report) -> None:
    call_command("collectstatic", interactive=False, verbosity=0)
    portal.load_catalog()
    member = portal.make_member("anna")
    app = App.objects.listed().filter(schema__isnull=False)[0]
    for n in range(CARDS):
        make_kept(make_run(member, app, status="completed"), make_stored((400 + n, 300)))
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(member)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)  # as in gunicorn.conf.py
    report.note("the client and middleware alone (/healthz)", f"{measure(client, '/healthz')[0]:.1f} ms")
    pages = {
        "app page": (app.get_absolute_url(), MAX_APP_MS),
        f"History of {CARDS} cards": ("/history/", MAX_HISTORY_MS),
        "Home": ("/", MAX_HOME_MS),
    }
    for name, (path, bar) in pages.items():
        taken, queries = measure(client, path)
        report.at_most(f"{name}, median of {ROUNDS}", taken, bar, " ms", aside=f"{queries} queries")


def measure(client: Client, path: str) -> tuple[float, int]:
    """Return the median processor time of a response in ms, and its number of queries."""
    cache.clear()
    for _ in range(WARM_UP):
        get(client, path)
    with CaptureQueriesContext(connection) as queries:
        get(client, path)
    count = len(queries)  # now, since the next request clears the log
    return 1000 * median(timed(client, path) for _ in range(ROUNDS)), count


def timed(client: Client, path: str) -> float:
    begun = time.thread_time()
    get(client, path)
    return time.thread_time() - begun


def get(client: Client, path: str) -> None:
    answer = client.get(path)
    if answer.status_code != 200:
        raise RuntimeError(f"{path} returned {answer.status_code}")
