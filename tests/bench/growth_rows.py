"""Fills a portal with everything that `growth` measures: what `review` makes, plus a file for each result, and a
charge, a notice and a record entry for each run. One run in a hundred is in the bin, and one in twenty had an upload.

The team's size stays the same, however many runs there are: 200 people with 12 apps.
"""

from django.core.management.color import no_style
from django.db import connection

from runs.models import App, Charge, Entry, Member, Notice, Output, Run, StoredFile, Upload, Verb
from runs.models.spending import month_of
from runs.spending.period import moved
from tests.bench.history_search import PEOPLE, USED_APPS, Postgres, Sqlite, copies, unchecked
from tests.bench.review import RUN_COLUMNS, make_reviewed

MONTHS = 24
BINNED_EVERY, BINNED = 100, 51  # in every hundred runs, run 51 is completed and belongs to `many`
UPLOAD_EVERY = 20
BEYOND = 50_000_000  # higher than the primary key of any result's file
UNREAD_EVERY = 50


def fill(many: Member, approver: Member, count: int) -> Output:
    """Create `count` runs and everything that belongs to them; return a result with many comments and versions."""
    dialect = (Postgres if connection.vendor == "postgresql" else Sqlite)()
    lately = dialect.minutes_ago("n / 100")  # recent enough that retention keeps them
    columns = {**RUN_COLUMNS, "deleted_at": f"CASE WHEN n % {BINNED_EVERY} = {BINNED} THEN {lately} END"}
    busy = make_reviewed(many, approver, count, columns, has_files=True)
    pattern, app = Run.objects.get(form_token="bench1"), App.objects.order_by("pk")[0]
    first = pattern.pk - 1
    with connection.cursor() as cursor:
        for statement in (
            _charges(pattern, app, first, dialect),
            *_sums(),
            _notices(pattern, many, first, dialect),
            _entries(pattern, many, dialect),
            *_uploads(pattern, many, dialect),
        ):
            cursor.execute(statement)
        tables = [Charge, Notice, Entry, Upload, StoredFile]
        for statement in connection.ops.sequence_reset_sql(no_style(), tables):
            cursor.execute(statement)
        dialect.analyze(cursor)
    return busy


def _charges(run: Run, app: App, first: int, dialect: Sqlite | Postgres) -> str:
    """Return the INSERT that adds a charge for each run, spread over two years however many runs there are."""
    pattern = Charge.objects.create(
        member=run.member, member_name="Many", app=app, app_name="App", month=month_of(run.created_at), source="lamina"
    )
    date = "DATE " if connection.vendor == "postgresql" else ""
    month = " ".join(f"WHEN {n} THEN {date}'{moved(month_of(run.created_at), -n)}'" for n in range(MONTHS))
    differs = {
        "id": f"{pattern.pk} + n",
        "run_id": f"{first} + n",
        "member_id": f"{_others()} + n % {PEOPLE - 2}",
        "app_id": f"{app.pk} + n % {USED_APPS}",
        "month": f"CASE n % {MONTHS} {month} END",
        "hundredths": "100 + n % 4000",
        "state": "'kept'",
        "pressed_at": dialect.minutes_ago("n"),
    }
    return copies("runs_charge", pattern, differs, "FROM bench_numbers")


def _others() -> int:
    """Return the primary key of the first person who is neither `many` nor the approver."""
    return Member.objects.get(email="person0@example.com").pk


def _sums() -> tuple[str, str]:
    place = "month, member_id, app_id, kind"
    return (
        f"INSERT INTO runs_spendingsum ({place}, hundredths, reserved, count, unknown_count, approved, rounds) "  # noqa: S608
        f"SELECT {place}, sum(hundredths), 0, count(*), 0, 0, 0 FROM runs_charge GROUP BY {place}",
        "INSERT INTO runs_monthtotal (member_id, month, used, told) "
        "SELECT member_id, month, sum(hundredths), 0 FROM runs_charge GROUP BY member_id, month",
    )


def _notices(run: Run, member: Member, first: int, dialect: Sqlite | Postgres) -> str:
    pattern = Notice.objects.create(member=member, kind="mention", event="first", run=run, actor=member)
    differs = {
        "id": f"{pattern.pk} + n",
        **dict.fromkeys(("public_id", "event"), "'n' || n"),
        "run_id": f"{first} + n",
        "created_at": dialect.minutes_ago("n"),
        "read_at": f"CASE WHEN n > 1000 OR n % {UNREAD_EVERY} > 0 THEN pattern.created_at END",
    }
    return copies("runs_notice", pattern, differs, "FROM bench_numbers")


def _entries(run: Run, member: Member, dialect: Sqlite | Postgres) -> str:
    pattern = Entry.objects.create(
        way="page",
        verb=Verb.RUN_STARTED,
        actor_id=member.pk,
        actor_name=member.display_name,
        object_kind="run",
        object_id=run.public_id,
        object_label="Packshot",
    )
    differs = {
        "id": f"{pattern.pk} + n",
        "public_id": "'e' || n",
        "request_id": "'r' || n",
        "at": dialect.minutes_ago("n"),
        "object_id": "'bench' || n",
    }
    return copies("runs_entry", pattern, differs, "FROM bench_numbers")


def _uploads(run: Run, member: Member, dialect: Sqlite | Postgres) -> tuple[str, str]:
    """Return the INSERTs for an upload and its file, for some of the runs."""
    file = StoredFile.objects.get(results__output__run=run, results__output__position=1)
    pattern = Upload.objects.create(member=member, file=file, status="ready", name="picture.png")
    some = f"FROM (SELECT n FROM bench_numbers WHERE n % {UPLOAD_EVERY} = 0) picked"  # noqa: S608
    number = f"{file.pk} + {BEYOND} + n"
    stored = {"id": number, **dict.fromkeys(("public_id", "sha256", "file"), "'upload' || n")}
    used = dialect.minutes_ago("n")
    upload = {"id": f"{pattern.pk} + n", "public_id": "'u' || n", "file_id": number, "used_at": used}
    return copies("runs_storedfile", file, stored, some), copies("runs_upload", pattern, upload, some)


def empty() -> None:
    """Delete everything and restart the ids. Bypasses the record's triggers, which would refuse this."""
    with unchecked(), connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE tablename LIKE 'runs\\_%'")
        tables = ", ".join(f'"{name}"' for (name,) in cursor.fetchall())
        cursor.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
        cursor.execute("DROP TABLE bench_numbers, bench_prompts, bench_places")
