"""Checks that the portal responds at once behind nginx and Caddy, set up as in docs/deploy, while a hundred slow
clients of each kind keep the proxy busy; and that thirty browsers that reach it without a proxy don't wait for each
other's idle connections, which hold a thread for up to five seconds each."""

import socket
import time
from contextlib import ExitStack

from tests.bench.portal import Portal
from tests.bench.report import Report
from tests.support import caddy, nginx
from tests.support.processes import free_port
from tests.support.proxies import running
from tests.support.slow_clients import BOUND_SECONDS, KINDS, answers_in_time, slow_clients

STRANGERS = 100
BROWSERS = 30
IDLE_EACH = 2
ASKED = 20


def bench(portal: Portal, report: Report) -> None:
    portal.start_web()
    for proxy in ("nginx", "caddy"):
        folder, port = portal.processes.folder / proxy, free_port()
        folder.mkdir()
        command = (
            nginx.prepare(folder, port, portal.url, folder)
            if proxy == "nginx"
            else caddy.prepare(folder, port, portal.url)
        )
        url = f"http://127.0.0.1:{port}"
        with report.part(f"{STRANGERS} clients of each kind, {proxy}"), running(command, url, folder / "log"):
            measure(report, url, port)

    with report.part(f"{BROWSERS} browsers, no proxy"), ExitStack() as stack:
        for _ in range(BROWSERS * IDLE_EACH):
            stack.enter_context(socket.create_connection(("127.0.0.1", portal.port)))
        time.sleep(0.2)  # until a thread holds each of them
        report_late(report, "idle connections", portal.url)


def measure(report: Report, url: str, port: int) -> None:
    """Measure each kind of slow client by itself, then all of them at once."""
    for kinds in (*([kind] for kind in KINDS), list(KINDS)):
        with ExitStack() as stack:
            for kind in kinds:
                stack.enter_context(slow_clients(port, kind, STRANGERS))
            report_late(report, kinds[0] if len(kinds) == 1 else "all kinds together", url)


def report_late(report: Report, what: str, url: str) -> None:
    taken = answers_in_time(url, ASKED, BOUND_SECONDS)
    slowest = f"slowest {1000 * max(taken):.0f} ms" if taken else ""
    report.at_most(f"{what}: /healthz late, of {ASKED}", ASKED - len(taken), 0, aside=slowest)
