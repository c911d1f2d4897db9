"""Charge existing runs, so that the spending page isn't empty at first.

Each run is charged its estimate. Until 0044, the estimate was the cost of all results of the app, so runs that made
only some of them are charged their share. Runs that were permanently deleted can't be charged. The work is done in SQL
and in batches, because there may be a million runs. If interrupted, the migration can be run again: only runs without a
charge are charged.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import migrations, transaction

SLICE = 20_000
SHARES_SINCE = "0044_news_as_notices"

# Amounts are whole hundredths, and shares are rounded half up, so that both databases give the same results.
CHARGE = """
INSERT INTO runs_charge (
    run_id, member_id, member_name, app_id, app_name, kind, month, hundredths, is_unknown, source, made, total, state,
    pressed_at, is_from_before, is_maker_known
)
WITH form AS MATERIALIZED (
    SELECT id, {count}(outputs) AS total, COALESCE({first_kind}, '') AS kind FROM runs_appschema
    WHERE id IN (SELECT schema_id FROM runs_run WHERE id BETWEEN %(first)s AND %(last)s)
), pressed AS (
    SELECT run.*, form.total, form.kind,
        CASE WHEN {count}(run.wanted_outputs) BETWEEN 1 AND form.total THEN {count}(run.wanted_outputs)
            ELSE form.total END AS made,
        CASE WHEN run.credits_estimated > 0 THEN CAST(ROUND(run.credits_estimated * 100) AS BIGINT)
            ELSE 0 END AS estimated
    FROM runs_run run JOIN form ON form.id = run.schema_id
    WHERE run.id BETWEEN %(first)s AND %(last)s AND run.created_at >= %(begins)s AND run.created_at < %(ends)s
)
SELECT
    pressed.id, member.id,
    CASE WHEN member.name <> '' THEN member.name
        WHEN {position}(member.email, '@') = 0 THEN member.email
        ELSE SUBSTR(member.email, 1, {position}(member.email, '@') - 1) END,
    pressed.app_id, pressed.app_name, SUBSTR(pressed.kind, 1, 50), %(month)s,
    CASE WHEN pressed.created_at < %(shares_since)s AND pressed.made < pressed.total
        THEN (2 * pressed.estimated * pressed.made + pressed.total) / (2 * pressed.total)
        ELSE pressed.estimated END,
    pressed.credits_estimated IS NULL, CASE WHEN pressed.credits_estimated IS NULL THEN 'none' ELSE 'lamina' END,
    pressed.made, pressed.total,
    CASE WHEN pressed.remote_id <> '' OR pressed.status IN ('queued', 'running', 'completed') THEN 'kept'
        WHEN pressed.status IN ('starting', 'checking') THEN 'reserved'
        WHEN pressed.failure = 'left' THEN 'kept'
        ELSE 'released' END,
    pressed.created_at, TRUE, pressed.made_by_id IS NOT NULL
FROM pressed JOIN runs_member member ON member.id = COALESCE(pressed.made_by_id, pressed.member_id)
WHERE NOT EXISTS (SELECT 1 FROM runs_charge charge WHERE charge.run_id = pressed.id)
"""
WORDS = {
    "sqlite": {
        "count": "JSON_ARRAY_LENGTH",
        "first_kind": "JSON_EXTRACT(outputs, '$[0].type')",
        "position": "INSTR",
    },
    "postgresql": {"count": "JSONB_ARRAY_LENGTH", "first_kind": "outputs->0->>'type'", "position": "STRPOS"},
}

SUMS = """
INSERT INTO runs_spendingsum (month, member_id, app_id, kind, hundredths, reserved, count, unknown_count)
SELECT month, member_id, app_id, kind, SUM(hundredths), SUM(CASE WHEN state = 'reserved' THEN hundredths ELSE 0 END),
    COUNT(*), SUM(CASE WHEN is_unknown THEN 1 ELSE 0 END)
FROM runs_charge WHERE state <> 'released' GROUP BY month, member_id, app_id, kind
"""
OF_MEMBERS = """
INSERT INTO runs_monthtotal (member_id, month, used)
SELECT member_id, month, SUM(hundredths) FROM runs_spendingsum GROUP BY member_id, month
"""
OF_PORTAL = """
INSERT INTO runs_monthtotal (member_id, month, used)
SELECT NULL, month, SUM(hundredths) FROM runs_spendingsum GROUP BY month
"""


def months_between(earliest, latest):
    """Return the months from `earliest` to `latest` in the portal's time zone, each with its start and end times."""
    zone, found = ZoneInfo(settings.TIME_ZONE), []
    begins = earliest.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)
    while begins <= latest:
        ends = begins.replace(year=begins.year + begins.month // 12, month=begins.month % 12 + 1)
        found.append((begins.date(), begins.astimezone(UTC), ends.astimezone(UTC)))
        begins = ends
    return found


def charge(apps, schema_editor):
    connection, runs = schema_editor.connection, apps.get_model("runs", "Run").objects.order_by("pk")
    moment = connection.ops.adapt_datetimefield_value
    sql = CHARGE.format(**WORDS[connection.vendor])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT applied FROM django_migrations WHERE app = 'runs' AND name = %s ORDER BY id DESC", [SHARES_SINCE]
        )
        shares_since = (cursor.fetchone() or [moment(datetime.now(UTC))])[0]
        first = 0
        while slice_ := list(runs.filter(pk__gt=first).values_list("pk", "created_at")[:SLICE]):
            times = [at for _pk, at in slice_]
            bounds = {"first": slice_[0][0], "last": slice_[-1][0], "shares_since": shares_since}
            with transaction.atomic(using=connection.alias):
                for month, begins, ends in months_between(min(times), max(times)):
                    ends_of_month = {"begins": moment(begins), "ends": moment(ends)}
                    cursor.execute(sql, {**bounds, **ends_of_month, "month": month.isoformat()})
            first = slice_[-1][0]
        with transaction.atomic(using=connection.alias):
            for table in ("runs_spendingsum", "runs_monthtotal"):
                cursor.execute(f"DELETE FROM {table}")  # noqa: S608 - our own tables
            for statement in (SUMS, OF_MEMBERS, OF_PORTAL):
                cursor.execute(statement)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("runs", "0045_charges")]
    operations = [migrations.RunPython(charge, migrations.RunPython.noop)]
