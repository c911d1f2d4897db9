"""Measures the log page with 1,000,000 entries (ten times `--runs`) on PostgreSQL, and a tenth of that on SQLite.

As in `history_search`, the database generates the rows. Filters are measured in the hardest cases: someone who did
little, a rare act, and the oldest day.
"""

import time
from functools import partial
from urllib.parse import urlencode

from django.core.management.color import no_style
from django.db import connection
from django.test import Client
from django.utils import timezone

from runs.models import Entry, Member, Run, Verb
from tests.bench.history import count_queries, milliseconds, report_time
from tests.bench.history_search import Postgres, Sqlite, copies
from tests.bench.portal import Portal
from tests.bench.processor_time import report_processor_time
from tests.bench.report import Report, number
from tests.bench.sheets import report_sheet
from tests.support.factories import make_run
from tests.support.visitor import Visitor

PER_RUN = 10
LESS_ON_SQLITE = 10
RARE_EVERY = 9973  # one entry in this many is a rare act, by someone who does little
MAX_MS = 100.0
MAX_QUERIES = 10
COMMON = (Verb.RUN_STARTED, Verb.RUN_SENT, Verb.RUN_ENDED, Verb.RESULT_DECIDED, Verb.COMMENT_POSTED)


def bench(portal: Portal, report: Report) -> None:
    count = portal.runs * PER_RUN // (1 if connection.vendor == "postgresql" else LESS_ON_SQLITE)
    admin, few = portal.make_member("admin"), portal.make_member("few")
    Member.objects.filter(pk=admin.pk).update(role=Member.Role.ADMIN)
    admin.refresh_from_db()
    run = make_run(admin, status="completed")
    begun = time.monotonic()
    make_entries(admin, few, run, count)
    web = portal.start_web()
    with report.part(f"{Entry.objects.count():,} entries of the record"):
        report.note("made in", f"{number(time.monotonic() - begun)} s")
    visitor, client = Visitor(portal.url, admin), Client(SERVER_NAME="127.0.0.1")
    client.force_login(admin)
    for what, query in queries(few, run).items():
        path = f"/manage/log/?{urlencode(query)}"
        with report.part(f"log, {what}"):
            report_time(report, partial(milliseconds, visitor, path), MAX_MS)
            report.at_most("queries", count_queries(client, path), MAX_QUERIES, "")
            report_processor_time(report, partial(client.get, path))
    with report.part("log as CSV"):
        report_sheet(report, web, visitor, "/manage/log/csv/")


def queries(few: Member, run: Run) -> dict[str, dict[str, str]]:
    """Return the filters to measure."""
    ordered = Entry.objects.order_by("pk")
    middle, oldest = ordered[Entry.objects.count() // 2], ordered[0]
    last_day = timezone.localdate(min(oldest.at, Entry.objects.order_by("at")[0].at)).isoformat()
    return {
        "latest": {},
        "far back": {"before": middle.public_id},
        "one person": {"who": few.public_id},
        "one rare act": {"act": Verb.APP_PRICED},
        "person and act": {"who": few.public_id, "act": Verb.RUN_STARTED},
        "guests": {"who": "guest"},
        "guests and a common act": {"who": "guest", "act": Verb.RUN_STARTED},
        "one run": {"about": f"run:{run.public_id}"},
        "oldest day": {"until": last_day},
        "rare act since the oldest day": {"act": Verb.APP_PRICED, "since": last_day},
    }


def make_entries(admin: Member, few: Member, run: Run, count: int) -> None:
    """Create `count` entries, one a minute. Most are common acts by `admin` or the portal, with about ten entries for
    each run."""
    pattern = Entry.objects.create(
        way="page",
        verb=Verb.RUN_STARTED,
        actor_id=admin.pk,
        actor_name=admin.display_name,
        object_kind="run",
        object_id=run.public_id,
        object_label="Packshot",
        changes={"status": ["running", "completed"]},
    )
    dialect = (Postgres if connection.vendor == "postgresql" else Sqlite)()
    common = " ".join(f"WHEN {n} THEN '{verb}'" for n, verb in enumerate(COMMON))
    is_rare = f"n % {RARE_EVERY} = 1"
    differs = {
        "id": f"{pattern.pk} + n",
        "public_id": "'e' || n",
        "request_id": "'r' || n",
        "at": dialect.minutes_ago("n"),
        "verb": f"CASE WHEN {is_rare} THEN '{Verb.APP_PRICED}' ELSE CASE n % {len(COMMON)} {common} END END",
        "actor_id": f"CASE WHEN {is_rare} THEN {few.pk} WHEN n % 3 = 0 THEN NULL ELSE {admin.pk} END",
        "way": f"CASE WHEN {is_rare} THEN 'page' WHEN n % 5003 = 0 THEN 'guest' WHEN n % 3 = 0 THEN 'worker' "
        "ELSE 'page' END",
        "object_id": f"CASE WHEN n % 100003 < 30 THEN '{run.public_id}' ELSE 'o' || (n % {max(count // 10, 1)}) END",
    }
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE bench_numbers AS {dialect.numbers(count)}")
        cursor.execute(copies("runs_entry", pattern, differs, "FROM bench_numbers"))
        dialect.analyze(cursor)
        for statement in connection.ops.sequence_reset_sql(no_style(), [Entry]):
            cursor.execute(statement)
