"""Measures three things for a member with many notices: the inbox, the count of unread notices on every page, and open
pages that poll for new notices.

The database generates the rows: ten notices for each run. `--runs` sets the number of runs; 100,000 runs give 1,000,000
notices on PostgreSQL. SQLite gets a tenth of that.
"""

import re
import time
from datetime import timedelta
from functools import partial
from statistics import median

from django.db import connection
from django.test import Client
from django.utils import timezone

from runs.display.cards import version_token
from runs.engine.poller_wakeups import POLLER
from runs.models import Lease, Member, Notice, Run
from tests.bench.history import POLL_EVERY
from tests.bench.measure import Wire, count_warm_queries, milliseconds, report_time
from tests.bench.portal import Portal
from tests.bench.processes import MS_PER_TICK, Process, ticks_of_all
from tests.bench.report import Report, number
from tests.bench.rows import Postgres, Sqlite, copies, make_rows
from tests.support.clients import HTMX
from tests.support.visitor import Visitor, session_cookie

PER_RUN = 10
LESS_ON_SQLITE = 10
UNREAD = "CASE n % 10 WHEN 0 THEN NULL ELSE pattern.created_at END"  # one in ten is unread
MAX_MS = 60.0
MAX_QUERIES = 4
POLL_MS = 20.0
POLL_QUERIES = 2  # queries: session, member
OPEN_PAGES = 200
NEWS_EVERY = 15.0  # seconds between polls for new notices, as in static/live.js
POLLS = 400
ROUNDS = 3
CORES = 2
MAX_PERCENT = 5.0


def bench(portal: Portal, report: Report) -> None:
    runs = portal.runs // (1 if connection.vendor == "postgresql" else LESS_ON_SQLITE)
    many, few = portal.make_member("many"), portal.make_member("few")
    begun = time.monotonic()
    make_notices(many, few, runs)
    server = portal.start_web()
    total, unread = Notice.objects.count(), Notice.objects.filter(member=many, read_at=None).count()
    with report.part(f"{total:,} notices of {runs:,} runs, {unread:,} unread by one member"):
        report.note("made in", f"{number(time.monotonic() - begun)} s")
    last = Notice.objects.filter(member=many).order_by("-created_at")[min(5_000, total // 4)]
    visitor, client = Visitor(portal.url, many), Client(SERVER_NAME="127.0.0.1")
    client.force_login(many)
    for what, path in {"inbox": "/inbox/", "inbox, far back": f"/inbox/?before={last.public_id}"}.items():
        with report.part(what):
            report_time(report, partial(milliseconds, visitor, path), MAX_MS)
            report.at_most("queries", count_warm_queries(client, path), MAX_QUERIES + ("before" in path), "")
    with report.part("any page, with the count"):
        report_time(report, partial(milliseconds, visitor, "/help/keys/"), MAX_MS)
    shown = re.search(r'data-bell="([^"]+)"', visitor.get("/help/keys/").text)
    assert shown, "the page has no bell"
    with report.part("poll of an idle page"):
        report_time(report, partial(milliseconds, visitor, f"/live/?n={shown[1]}", HTMX), POLL_MS)
        report.at_most("queries", count_warm_queries(client, f"/live/?n={shown[1]}", 204), POLL_QUERIES)
    with report.part(f"{OPEN_PAGES} open pages"):
        measure_open_pages(portal, report, server, many, shown[1])


def measure_open_pages(portal: Portal, report: Report, server: Process, member: Member, shown: str) -> None:
    """Measure how much extra processor time, as a percentage of two cores, open pages use by polling for new notices.
    There are two kinds of pages: idle ones, which make no other requests, and pages of a run in progress, which poll
    anyway. Only the web server's processor time counts, not the database's if that is a separate process."""
    run, later = Run.objects.owned_by(member).newest_first()[0], timezone.now() + timedelta(hours=1)
    Run.objects.filter(pk=run.pk).update(status="running", finished_at=None, opened_at=later)
    run.refresh_from_db()
    Lease.objects.update_or_create(name=POLLER, defaults={"until": later, "holder": "bench"})
    quiet = f"/live/?r={run.public_id}:{version_token(run)}"
    with Wire(portal.port, session_cookie(member)) as wire:

        def work(path: str) -> float:
            begun = ticks_of_all(server)
            for _ in range(POLLS):
                wire.poll(path)
            return (ticks_of_all(server) - begun) * MS_PER_TICK / POLLS

        idle = median(work(f"/live/?n={shown}") for _ in range(ROUNDS))
        before, after = zip(*((work(quiet), work(f"{quiet}&n={shown}&w=1")) for _ in range(ROUNDS)), strict=True)
    watching = median(after) - median(before)
    report.at_most("more work, idle", percent(idle, NEWS_EVERY), MAX_PERCENT, " %", aside=f"{number(idle)} ms a poll")
    aside = f"{number(median(before))} ms a poll, then {number(median(after))}"
    report.at_most("more work, with a run", percent(watching, POLL_EVERY), MAX_PERCENT, " %", aside=aside)


def percent(milliseconds: float, every: float) -> float:
    """Return what percentage of two cores all open pages together use if each causes this much work once per
    interval."""
    return max(0.0, milliseconds) * OPEN_PAGES / every / 1000 / CORES * 100


def make_notices(many: Member, few: Member, count: int) -> None:
    """Create ten notices about each run, half of them for each member; the runs are one minute apart."""
    run, _file = make_rows(many, few, count)
    first = Notice.objects.create(member=many, kind="mention", event="first", run=run, actor=few)
    numbers = " UNION ALL ".join(f"SELECT {k} AS k" for k in range(PER_RUN))
    dialect = (Postgres if connection.vendor == "postgresql" else Sqlite)()
    differs = {
        "id": f"{first.pk} + {PER_RUN} * n + k",
        "public_id": f"'n' || ({PER_RUN} * n + k)",
        "event": f"'e-' || ({PER_RUN} * n + k)",
        "member_id": f"CASE k % 2 WHEN 0 THEN {many.pk} ELSE {few.pk} END",
        "run_id": f"{run.pk} + n",
        "created_at": dialect.minutes_ago("n"),
        "read_at": UNREAD,
    }
    with connection.cursor() as cursor:
        cursor.execute(copies("runs_notice", first, differs, f"FROM bench_numbers CROSS JOIN ({numbers}) ten"))
        dialect.analyze(cursor)
    Member.objects.filter(pk__in=(many.pk, few.pk)).update(unread=100, news_at=timezone.now())
