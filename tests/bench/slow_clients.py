"""Checks that the portal, with no proxy in front of it, still responds while a hundred slow clients of one kind are
connected."""

import time

from tests.bench.portal import Portal
from tests.bench.report import Report
from tests.support.slow_clients import BOUND_SECONDS, KINDS, answers_in_time, slow_clients

STRANGERS = 100
ASKED = 10
PAUSE_SECONDS = 1.0  # long enough that the check outlasts the clients' first few seconds


def bench(portal: Portal, report: Report) -> None:
    portal.start_web()
    answers_in_time(portal.url, 8, 60)  # makes sure that each process and thread has started
    for kind in KINDS:
        with report.part(f"{STRANGERS} strangers, {kind}"), slow_clients(portal.port, kind, STRANGERS):
            taken = watch(portal.url)
            slowest = f"slowest {1000 * max(taken):.0f} ms" if taken else ""
            report.at_most("/healthz late, of 10", ASKED - len(taken), 0, aside=slowest)


def watch(url: str) -> list[float]:
    """Send ten requests at intervals; return how many seconds each timely response took."""
    taken = []
    for _ in range(ASKED):
        taken += answers_in_time(url, 1, BOUND_SECONDS)
        time.sleep(PAUSE_SECONDS)
    return taken
