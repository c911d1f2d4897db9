"""Measures the inbox of a member with many notices, its count on every page, and the poll of an idle page.

As in `history_search`, the database makes the rows: ten notices for each run. `--runs` says how many runs; 100,000 make
1,000,000 notices on PostgreSQL. SQLite gets a tenth of them.
"""

import re
import time
from functools import partial

from django.db import connection
from django.test import Client
from django.utils import timezone

from runs.models import Member, Notice
from tests.bench.history import count_queries, report_time
from tests.bench.history_search import Postgres, Sqlite, copies, make_rows
from tests.bench.portal import Portal
from tests.bench.report import Report, number
from tests.support.clients import HTMX
from tests.support.visitor import Visitor

PER_RUN = 10
LESS_ON_SQLITE = 10
UNREAD = "CASE n % 10 WHEN 0 THEN NULL ELSE pattern.created_at END"  # a tenth is unread
MAX_MS = 60.0
MAX_QUERIES = 4
POLL_MS = 20.0


def bench(portal: Portal, report: Report) -> None:
    runs = portal.runs // (1 if connection.vendor == "postgresql" else LESS_ON_SQLITE)
    many, few = portal.make_member("many"), portal.make_member("few")
    begun = time.monotonic()
    make_notices(many, few, runs)
    portal.start_web()
    total, unread = Notice.objects.count(), Notice.objects.filter(member=many, read_at=None).count()
    with report.part(f"{total:,} notices of {runs:,} runs, {unread:,} unread by one member"):
        report.note("made in", f"{number(time.monotonic() - begun)} s")
    last = Notice.objects.filter(member=many).order_by("-created_at")[min(5_000, total // 4)]
    visitor, client = Visitor(portal.url, many), Client(SERVER_NAME="127.0.0.1")
    client.force_login(many)
    for what, path in {"inbox": "/inbox/", "inbox, far back": f"/inbox/?before={last.public_id}"}.items():
        with report.part(what):
            report_time(report, partial(milliseconds, visitor, path), MAX_MS)
            report.at_most("queries", count_queries(client, path), MAX_QUERIES + ("before" in path), "")
    with report.part("any page, with the count"):
        report_time(report, partial(milliseconds, visitor, "/help/keys/"), MAX_MS)
    shown = re.search(r'data-bell="([^"]+)"', visitor.get("/help/keys/").text)
    assert shown, "the page has no bell"
    with report.part("poll of an idle page"):
        report_time(report, partial(milliseconds, visitor, f"/live/?n={shown[1]}", HTMX), POLL_MS)


def milliseconds(visitor: Visitor, path: str, headers: dict[str, str] | None = None) -> float:
    return float(visitor.get(path, **headers or {}).elapsed.total_seconds() * 1000)


def make_notices(many: Member, few: Member, count: int) -> None:
    """Make ten notices about each run for both members, one run a minute."""
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
        cursor.execute(dialect.analyze)
    Member.objects.filter(pk__in=(many.pk, few.pk)).update(unread=100, news_at=timezone.now())
