"""Measures saved files: what serving one costs, how soon thumbnails appear, and how much memory a 1 GB video takes."""

import subprocess
import sys
import time
from datetime import timedelta

import requests
from django.test import Client

from runs.models import App, Member, OutputFile, Run
from tests.bench.measure import count_queries, report_time
from tests.bench.portal import Portal
from tests.bench.quick_start import CARTOONIFY
from tests.bench.report import Report, percentile
from tests.support.factories import make_app, make_kept, make_run
from tests.support.processes import ROOT, wait_until
from tests.support.visitor import Visitor

RUNS = 10
PAGE_PACE_SECONDS = 2.5  # seconds between an open page's polls, as in static/live.js
MAX_QUERIES = 4  # queries: session, member and two more
MAX_MS = 5.0
MAX_SHOWN_SECONDS = 5.0
MAX_MB = 100.0


def bench(portal: Portal, report: Report) -> None:
    member = portal.make_member("demo")
    portal.load_catalog()
    portal.start_web()
    visitor = Visitor(portal.url, member)
    with report.part("a file served by hash"):
        measure_serving(visitor, report, member)
    portal.start_worker()
    with report.part("from a run's end until its thumbnails show on an open page"):
        measure_thumbnails(visitor, report)
    with report.part("a video of 1 GB is saved"):
        measure_memory(report)


def measure_serving(visitor: Visitor, report: Report, member: Member) -> None:
    stored = make_kept(make_run(member, make_app(), status="completed")).file
    assert stored is not None
    address = stored.thumb_url(400)
    client = member_client(member)
    report.at_most("queries, including session and member", count_queries(client, address), MAX_QUERIES)

    def serve() -> float:
        """Return the server time in milliseconds from the first byte to the last, excluding sockets and the client's
        work."""
        begun = time.perf_counter()
        sent = b"".join(client.get(address))
        assert sent
        return (time.perf_counter() - begun) * 1000

    report_time(report, serve, MAX_MS)
    over_the_wire = sorted(visitor.get(address).elapsed.total_seconds() * 1000 for _ in range(100))
    report.note("the whole response as a client on this machine sees it, median", f"{over_the_wire[50]:.1f} ms")


def member_client(member: Member) -> Client:
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(member)
    return client


def measure_thumbnails(visitor: Visitor, report: Report) -> None:
    """Measure the worst case for an open page: its last poll came just before the picture was ready."""
    path = App.objects.get(remote_id=CARTOONIFY).get_absolute_url()
    for _ in range(RUNS):
        try:
            visitor.press_run(path, visitor.open_form(path))
        except requests.HTTPError as error:
            raise RuntimeError(f"Run returned {error.response.status_code}") from None

    def is_all_saved() -> bool:
        made = Run.objects.filter(app__remote_id=CARTOONIFY)
        files = OutputFile.objects.filter(output__run__in=made)
        is_over = made.filter(status="completed").count() == RUNS
        return is_over and files.count() == 2 * RUNS and not files.exclude(status="saved").exists()

    wait_until(is_all_saved, "every picture to be saved", 120)
    kept = OutputFile.objects.filter(output__run__app__remote_id=CARTOONIFY).select_related("file", "output__run")
    taken = [
        max(timedelta(), f.file.created_at - f.output.run.finished_at).total_seconds() + PAGE_PACE_SECONDS
        for f in kept
        if f.file and f.output.run.finished_at
    ]
    report.at_most("p95 of 20 pictures of 10 runs at once", percentile(taken, 95), MAX_SHOWN_SECONDS, " s")


def measure_memory(report: Report) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.film"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-300:])
    before, peak = map(float, done.stdout.split())
    report.at_most("memory it takes", peak - before, MAX_MB, " MB", aside=f"the process {before:.0f} before")
