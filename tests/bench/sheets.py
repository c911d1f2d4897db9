"""Measures the web server's memory while it streams a CSV file with a huge number of rows. Memory use mustn't grow."""

import time

from tests.bench.large_pictures import descendants, pss_of
from tests.bench.processes import Process
from tests.bench.report import Report, number
from tests.support.visitor import Visitor

PIECE_BYTES = 1_000_000
MAX_MB = 30.0


def report_sheet(report: Report, web: Process, visitor: Visitor, path: str, **fields: str) -> None:
    """Download the CSV file at `path`; report how many rows it has and how much memory the web server needed for it."""
    visitor.get("/")  # makes sure that every process has loaded what pages need
    before = peak = memory_of(web)
    rows, begun = 0, time.monotonic()
    headers = {"X-CSRFToken": visitor.session.cookies["csrftoken"], "Referer": visitor.url}
    with visitor.session.post(
        f"{visitor.url}{path}", data=fields, headers=headers, stream=True, timeout=600, allow_redirects=False
    ) as answer:
        answer.raise_for_status()
        for piece in answer.iter_content(PIECE_BYTES):
            rows += piece.count(b"\r\n")
            peak = max(peak, memory_of(web))
    took = f"{rows:,} rows in {number(time.monotonic() - begun)} s"
    report.at_most("memory it takes", max(0, peak - before) / 1e6, MAX_MB, " MB", aside=took)


def memory_of(process: Process) -> int:
    """Return the memory of `process` and its children in bytes."""
    return sum(map(pss_of, descendants(process.popen.pid)))
