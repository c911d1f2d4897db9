"""Add indexes for rare kinds, states and verdicts, so that History reads only the runs that it shows.

SQLite doesn't use a partial index for a condition with parameters, so it still uses the index that covers all facets.
"""

from django.db import migrations

KEPT, SHARED = "deleted_at IS NULL", "shared_at IS NOT NULL AND deleted_at IS NULL"
NEWEST = "created_at DESC, id DESC"
KINDS = ("image", "video", "audio", "text")
VERDICTS = ("approved", "changes", "rejected")
INDEXES = {
    "run_mine_state": f"(member_id, status, {NEWEST}) WHERE {KEPT} AND status <> 'completed'",
    "run_team_state": f"(status, {NEWEST}) WHERE {SHARED} AND status <> 'completed'",
    "run_partly": f"({NEWEST}) WHERE {KEPT} AND status = 'completed' AND outputs_failed > 0",
    **{f"run_mine_{kind}": f"(member_id, {NEWEST}) WHERE {KEPT} AND kinds::text LIKE '% {kind} %'" for kind in KINDS},
    **{f"run_team_{kind}": f"({NEWEST}) WHERE {SHARED} AND kinds::text LIKE '% {kind} %'" for kind in KINDS},
    **{f"run_{verdict}": f"({NEWEST}) WHERE {KEPT} AND verdicts::text LIKE '% {verdict} %'" for verdict in VERDICTS},
}


def create(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name, definition in INDEXES.items():
            # No parameters (None), because the LIKE patterns contain %
            schema_editor.execute(f"CREATE INDEX {name} ON runs_run {definition}", None)


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name in INDEXES:
            schema_editor.execute(f"DROP INDEX {name}")


class Migration(migrations.Migration):
    dependencies = (("runs", "0058_few_among_many"),)

    operations = (migrations.RunPython(create, drop),)
