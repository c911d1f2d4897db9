"""Checks that thirty browsers that reach the portal without a proxy don't wait for each other's idle connections.

A new connection holds a thread until its first request arrives, for five seconds at most, and browsers open connections
ahead. Behind a proxy, none of them reach the portal: tests/server/test_behind_proxies.py.
"""

import socket
import time
from contextlib import ExitStack

from tests.bench.portal import Portal
from tests.bench.report import Report
from tests.support.slow_clients import answers_in_time

BROWSERS = 30
IDLE_EACH = 2
ASKED = 20
BOUND_SECONDS = 1.0


def bench(portal: Portal, report: Report) -> None:
    portal.start_web()
    answers_in_time(portal.url, 8, 60)  # makes sure that each process has started
    with ExitStack() as stack:
        for _ in range(BROWSERS * IDLE_EACH):
            stack.enter_context(socket.create_connection(("127.0.0.1", portal.port)))
        time.sleep(0.2)
        taken = answers_in_time(portal.url, ASKED, BOUND_SECONDS)
    slowest = f"slowest {1000 * max(taken):.0f} ms" if taken else ""
    report.at_most(f"/healthz late with {BROWSERS} browsers, of {ASKED}", ASKED - len(taken), 0, aside=slowest)
