"""Measures the time from pressing Run until the run's page arrives, while Lamina takes 30 s to respond to the start
request."""

import time
from statistics import median

from runs.models import App
from tests.bench.portal import Portal
from tests.bench.quick_start import CARTOONIFY
from tests.bench.report import Report, number
from tests.support.visitor import Visitor

PRESSES = 10
LAMINA_SECONDS = 30
MAX_MS = 300.0


def bench(portal: Portal, report: Report) -> None:
    portal.load_catalog()
    portal.start_web()
    portal.start_worker()
    visitor = Visitor(portal.url, portal.make_member("demo"))
    path = App.objects.get(remote_id=CARTOONIFY).get_absolute_url()
    portal.sandbox.order("faults", endpoint="run_start", fault="delay", times=None, seconds=LAMINA_SECONDS)
    with report.part("Run pressed while Lamina takes 30 s"):
        forms = [visitor.open_form(path) for _ in range(PRESSES)]
        taken = [press(visitor, path, form) for form in forms]
        report.at_most("until its page, median of 10", median(taken), MAX_MS, " ms")
        report.at_most("until its page, slowest of 10", max(taken), MAX_MS, " ms", aside=f"first {number(taken[0])} ms")
        if any(run["status"] for run in portal.sandbox.state["runs"]):
            raise RuntimeError("a start got an early response: the delay did not work")


def press(visitor: Visitor, path: str, form: list[tuple[str, str]]) -> float:
    """Press Run; return the milliseconds until the run's page arrives."""
    begun = time.perf_counter()
    page = visitor.press_run(path, form).headers["Location"]
    answer = visitor.get(page)
    taken = 1000 * (time.perf_counter() - begun)
    if "Starting" not in answer.text:
        raise RuntimeError(f"{page} does not show a run that is starting")
    return taken
