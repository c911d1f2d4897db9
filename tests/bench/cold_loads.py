"""Measures complete cold loads of an app page by fifty browsers at once. Five tries should take about the same time.

If one of the web server's workers sometimes held most of the connections, the times would differ.
"""

import time
from concurrent.futures import ThreadPoolExecutor

from django.core.management import call_command

from runs.models import App
from tests.bench.portal import Portal
from tests.bench.report import Report, number
from tests.bench.web_server import CLIENTS, LOADS_EACH, browsers, fetch, load_all, parts_of
from tests.support.visitor import session_cookie

TRIES = 5
MAX_RATIO = 1.15


def bench(portal: Portal, report: Report) -> None:
    call_command("collectstatic", interactive=False, verbosity=0)
    portal.load_catalog()
    cookie = "=".join(session_cookie(portal.make_member("anna")))
    portal.start_web()
    parts = parts_of(portal, App.objects.listed().filter(schema__isnull=False)[0].get_absolute_url(), cookie)
    loads_per_second(portal, parts, cookie)  # warms up both workers
    found = [loads_per_second(portal, parts, cookie) for _ in range(TRIES)]
    report.note(f"complete loads per second ({len(parts)} requests each), in five tries", ", ".join(map(number, found)))
    report.at_most("the fastest try, divided by the slowest", max(found) / min(found), MAX_RATIO)


def loads_per_second(portal: Portal, parts: list[str], cookie: str) -> float:
    """Load the page in all browsers at once, with new connections."""
    clients = browsers(portal.port)
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(lambda client: fetch(client, "/healthz", cookie), clients))
        begun = time.perf_counter()
        list(pool.map(lambda client: load_all(client, parts, cookie), clients))
        taken = time.perf_counter() - begun
    for client in clients:
        client.close()
    return CLIENTS * LOADS_EACH / taken
