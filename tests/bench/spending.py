"""Measures the spending page with 1,000,000 charges (ten times `--runs`) on PostgreSQL, or a tenth as many on SQLite.
Also measures how much time charging adds to a press of Run. The `log` benchmark measures the log page in a similar way.

As in `history_search`, SQL statements generate the rows: one year's charges for 200 people and 40 apps. The CSV file
lists every charge.
"""

import time
from functools import partial

from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from runs.models import App, Charge, Member, MonthTotal, Run, SpendingLimits
from runs.models.spending import month_of
from runs.spending import charges
from runs.spending.estimates import estimate
from runs.spending.period import moved
from tests.bench.history import count_queries, milliseconds, report_time
from tests.bench.history_search import Postgres, Sqlite, copies
from tests.bench.portal import Portal
from tests.bench.processor_time import report_processor_time
from tests.bench.report import Report, number
from tests.bench.sheets import report_sheet
from tests.support.factories import make_app, make_run
from tests.support.visitor import Visitor

PER_RUN = 10
LESS_ON_SQLITE = 10
MONTHS, PEOPLE, APPS = 12, 200, 40
MAX_MS = 300.0
MAX_QUERIES = 16
PRESS_MS = 3.0
MINUTES = 330 * 24 * 60  # so that all presses fall within the page's 12 months
PRESSES = 10  # presses per measurement; the mean is reported


def bench(portal: Portal, report: Report) -> None:
    count = portal.runs * PER_RUN // (1 if connection.vendor == "postgresql" else LESS_ON_SQLITE)
    admin = portal.make_member("admin")
    Member.objects.filter(pk=admin.pk).update(role=Member.Role.ADMIN)
    admin.refresh_from_db()
    begun = time.monotonic()
    person = make_charges(count)
    web = portal.start_web()
    with report.part(f"{Charge.objects.count():,} charges of {PEOPLE} people and {APPS} apps"):
        report.note("made in", f"{number(time.monotonic() - begun)} s")
    visitor, client = Visitor(portal.url, admin), Client(SERVER_NAME="127.0.0.1")
    client.force_login(admin)
    queries = {"one month": "", "12 months": "?span=12", "one person": f"?span=12&by={person.public_id}"}
    for what, query in queries.items():
        with report.part(f"spending, {what}"):
            report_time(report, partial(milliseconds, visitor, f"/manage/spending/{query}"), MAX_MS)
            report.at_most("queries", count_queries(client, f"/manage/spending/{query}"), MAX_QUERIES, "")
            report_processor_time(report, partial(client.get, f"/manage/spending/{query}"))
    for what, path in {"limits": "/manage/spending/limits/", "own settings": "/me/"}.items():
        with report.part(what):
            report_time(report, partial(milliseconds, visitor, path), MAX_MS)
            report_processor_time(report, partial(client.get, path))
    with report.part("12 months of charges as CSV"):
        report_sheet(report, web, visitor, "/manage/spending/charges.csv", span="12")
    with report.part(f"what charging adds to a press of Run, mean of {PRESSES}"):
        SpendingLimits.objects.create(pk=1, default_hundredths=10**9, portal_hundredths=10**12)
        run = make_run(person, App.objects.order_by("pk")[0], status="starting")
        report_time(report, partial(press, run), PRESS_MS)
        report_processor_time(report, partial(press, run), PRESSES)


def press(run: Run) -> float:
    """Charge several presses of Run; return the mean number of milliseconds per press."""
    estimated, now = estimate(run.app, run.schema, ()), timezone.now()
    begun = time.perf_counter()
    for _ in range(PRESSES):
        with transaction.atomic():
            charges.reserve(run, estimated, now)
            transaction.set_rollback(True)
    return (time.perf_counter() - begun) * 1000 / PRESSES


def make_charges(count: int) -> Member:
    """Create `count` charges and their totals; return one of the people who were charged."""
    members = [Member(email=f"person{n}@example.com", name=f"Person {n}", password="!") for n in range(PEOPLE)]
    Member.objects.bulk_create(members)
    first = Member.objects.get(email="person0@example.com")
    apps = [make_app(f"App {n}", credits_expected=12) for n in range(APPS)]
    now = timezone.now()
    pattern = Charge.objects.create(
        member=first, member_name=first.name, app=apps[0], app_name="App", month=month_of(now), source="lamina"
    )
    dialect = (Postgres if connection.vendor == "postgresql" else Sqlite)()
    date = "DATE " if connection.vendor == "postgresql" else ""
    month = " ".join(f"WHEN {n} THEN {date}'{moved(month_of(now), -n)}'" for n in range(MONTHS))
    app = f"{apps[0].pk} + n / 7 % {APPS}"
    differs = {
        "id": f"{pattern.pk} + n",
        "member_id": f"{first.pk} + n % {PEOPLE}",
        "app_id": app,
        "kind": "CASE n / 7 % 3 WHEN 0 THEN 'video' WHEN 1 THEN 'audio' ELSE 'image' END",
        "month": f"CASE n / 13 % {MONTHS} {month} END",
        "hundredths": "100 + n % 4000",
        "state": "'kept'",
        "pressed_at": dialect.minutes_ago(f"n % {MINUTES}"),
        "approved": "n % 3",
        "rounds": "n % 3 * 2",
        "run_id": "NULL",
    }
    place, sums = "month, member_id, app_id, kind", "sum(hundredths), 0, count(*), 0, sum(approved), sum(rounds)"
    names = "hundredths, reserved, count, unknown_count, approved, rounds"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE bench_numbers AS {dialect.numbers(count)}")
        cursor.execute(copies("runs_charge", pattern, differs, "FROM bench_numbers"))
        cursor.execute(
            f"INSERT INTO runs_spendingsum ({place}, {names}) SELECT {place}, {sums} FROM runs_charge GROUP BY {place}"  # noqa: S608
        )
        cursor.execute(
            "INSERT INTO runs_monthtotal (member_id, month, used, told) "
            "SELECT member_id, month, sum(hundredths), 0 FROM runs_charge GROUP BY member_id, month"
        )
        if connection.vendor == "postgresql":  # rows were added without advancing the sequence
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence('runs_charge', 'id'), (SELECT max(id) FROM runs_charge))"
            )
        dialect.analyze(cursor)
    MonthTotal.objects.create(month=month_of(now), used=0)
    return first
