"""Compares how web servers for the portal cope with 50 simultaneous browsers that have nothing cached, with requests
for History, and with slow clients.

There are no targets; `docs/decisions/web-server.md` has the results. granian is measured if it is installed. The
servers take turns so that other work on the machine affects them all alike.
"""

import http.client
import os
import re
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import requests
from django.core.management import call_command

from tests.bench.portal import Portal
from tests.bench.processes import Process
from tests.bench.report import Report, number, percentile
from tests.bench.slow_clients import ASKED, STRANGERS
from tests.support.factories import make_app, make_kept, make_run, make_stored
from tests.support.processes import children_of, ticks_of, wait_until
from tests.support.slow_clients import KINDS, answers_in_time, slow_clients
from tests.support.visitor import session_cookie

ROUNDS = 3
CLIENTS = 50
LOADS_EACH = 2
PAGES_EACH = 4
CARDS = 24
MS_PER_TICK = 1000 / os.sysconf("SC_CLK_TCK")
GUNICORN = ("-m", "gunicorn", "--log-level", "warning", "--bind", "127.0.0.1:{port}")
GRANIAN = ("-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", "{port}", "--workers", "2")
SERVERS = {
    "the portal's worker, 2 of 8 threads": (*GUNICORN, "lamina_portal.wsgi"),
    "gthread, 2 of 8 threads": (*GUNICORN, "-k", "gthread", "lamina_portal.wsgi"),
    "gthread, 2 of 8, reuse_port": (*GUNICORN, "-k", "gthread", "--reuse-port", "lamina_portal.wsgi"),
    "the portal's worker, 1 of 16 threads": (*GUNICORN, "-w", "1", "--threads", "16", "lamina_portal.wsgi"),
    "granian, 2 of 8 threads": (*GRANIAN, "--blocking-threads", "8", "lamina_portal.wsgi:application"),
}
ADDRESS = re.compile(r'(?:src|href)="(/(?:static|files)/[^"]+)"')


@dataclass
class Found:
    """The figures for one server; each list has one figure per round."""

    loads: list[float] = field(default_factory=list)  # complete cold loads per second
    work: list[float] = field(default_factory=list)  # CPU time per load in ms; other work doesn't affect it
    history: list[float] = field(default_factory=list)  # p95 in ms
    fewest: list[int] = field(default_factory=list)  # connections held by the least busy worker
    in_time: dict[str, int] = field(default_factory=dict)  # timely responses from /healthz, by kind of slow client


def bench(portal: Portal, report: Report) -> None:
    member = portal.make_member("demo")
    app = make_app()
    for n in range(CARDS):
        make_kept(make_run(member, app, status="completed"), make_stored((400 + n, 300)))  # one file for each run
    call_command("collectstatic", interactive=False, verbosity=0)
    cookie = "=".join(session_cookie(member))
    found: dict[str, Found] = defaultdict(Found)
    names = [name for name in SERVERS if "granian" not in name or find_spec("granian")]
    for turn in range(ROUNDS):
        for name in names:
            server = start(portal, name)
            measure(portal, server, cookie, found[name])
            if turn == 0:
                found[name].in_time = meet_strangers(portal)
            portal.processes.stop(server)
            print(turn, name, found[name], flush=True)
    for name in names:
        with report.part(name):
            tell(report, found[name])


def tell(report: Report, found: Found) -> None:
    report.note("complete cold loads per second, median", f"{number(median(found.loads))} {spread(found.loads)}")
    report.note("processor time of a cold load in ms, median", f"{number(median(found.work))} {spread(found.work)}")
    report.note("History, p95 in ms, median", f"{number(median(found.history))} {spread(found.history)}")
    report.note(f"of {CLIENTS} connections, at the worker with fewest", ", ".join(map(str, found.fewest)))
    late = {kind: ASKED - count for kind, count in found.in_time.items() if count < ASKED}
    told = ", ".join(f"{kind} {count}" for kind, count in late.items())
    report.note(f"/healthz late with {STRANGERS} slow strangers, of {ASKED}", told or "none")


def spread(values: list[float]) -> str:
    return f"({number(min(values))}-{number(max(values))})"


def start(portal: Portal, name: str) -> Process:
    server = portal.processes.start("web", *(part.format(port=portal.port) for part in SERVERS[name]))

    def answers() -> bool:
        server.demand_alive()
        with suppress(requests.RequestException):
            return all(requests.get(f"{portal.url}/login/", timeout=30).ok for _ in range(24))
        return False

    wait_until(answers, f"{name} to answer", 90)
    return server


def measure(portal: Portal, server: Process, cookie: str, found: Found) -> None:
    clients = browsers(portal.port)
    parts = parts_of(portal, "/history/", cookie)
    if sum("/files/" in part for part in parts) < CARDS:
        raise RuntimeError(f"the page shows fewer than {CARDS} pictures: {parts}")

    def load(client: http.client.HTTPConnection) -> None:
        load_all(client, parts, cookie)

    def look(client: http.client.HTTPConnection) -> list[float]:
        return [timed(lambda: fetch(client, "/history/", cookie)) for _ in range(PAGES_EACH)]

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(lambda client: fetch(client, "/healthz", cookie), clients))
        found.fewest.append(min(connections_of(pid, portal.port) for pid in workers_of(server.popen.pid)))
        begun, worked = time.perf_counter(), ticks_of_all(server)
        list(pool.map(load, clients))
        found.loads.append(CLIENTS * LOADS_EACH / (time.perf_counter() - begun))
        found.work.append((ticks_of_all(server) - worked) * MS_PER_TICK / (CLIENTS * LOADS_EACH))
        times = [taken for one in pool.map(look, clients) for taken in one]
        found.history.append(1000 * percentile(times, 95))
    for client in clients:
        client.close()


def browsers(port: int) -> list[http.client.HTTPConnection]:
    """Return `CLIENTS` clients, each of which keeps its connection open."""
    return [http.client.HTTPConnection("127.0.0.1", port, timeout=120) for _ in range(CLIENTS)]


def parts_of(portal: Portal, path: str, cookie: str) -> list[str]:
    """Return the page's path, followed by the paths of everything it loads from the portal."""
    page = requests.get(f"{portal.url}{path}", headers={"Cookie": cookie}, timeout=60).text
    return [path, *dict.fromkeys(ADDRESS.findall(page))]


def load_all(client: http.client.HTTPConnection, parts: list[str], cookie: str) -> None:
    """Load a page completely, `LOADS_EACH` times."""
    for _ in range(LOADS_EACH):
        for path in parts:
            fetch(client, path, cookie)


def fetch(client: http.client.HTTPConnection, path: str, cookie: str) -> None:
    headers = {"Cookie": cookie, "Accept-Encoding": "gzip"}
    client.request("GET", path, headers=headers)
    try:
        answer = client.getresponse()
    except http.client.RemoteDisconnected:
        # The server closed this connection because it was idle while others were being served; browsers would retry
        client.request("GET", path, headers=headers)
        answer = client.getresponse()
    answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path} returned {answer.status}")


def timed(ask: Callable[[], object]) -> float:
    begun = time.perf_counter()
    ask()
    return time.perf_counter() - begun


def workers_of(pid: int) -> list[int]:
    """Return the processes that serve requests."""
    children = [child for child in children_of(pid) if b"tracker" not in Path(f"/proc/{child}/cmdline").read_bytes()]
    return children or [pid]


def ticks_of_all(server: Process) -> int:
    return sum(map(ticks_of, workers_of(server.popen.pid)))


def connections_of(pid: int, port: int) -> int:
    """Return how many established connections to `port` the process `pid` has."""
    established = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        cells = line.split()
        if int(cells[1].rpartition(":")[2], 16) == port and cells[3] == "01":
            established.add(f"socket:[{cells[9]}]")
    held = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            held.add(str(entry.readlink()))
    return len(established & held)


def meet_strangers(portal: Portal) -> dict[str, int]:
    """Return how many responses came in time while slow clients were connected, keyed by kind of client."""
    found = {}
    for kind in KINDS:
        found[kind] = 0
        with suppress(AssertionError), slow_clients(portal.port, kind, STRANGERS):  # some servers may not manage this
            time.sleep(1)
            found[kind] = len(answers_in_time(portal.url))
    return found
