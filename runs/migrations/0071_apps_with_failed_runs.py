"""Add an index of runs that aren't completed, by app, for History's list of apps that have any.

Without the index, PostgreSQL reads all the runs of every app that has none. SQLite doesn't use a partial index for a
condition with parameters (see migration 0059).
"""

from django.db import migrations

CREATE = """
    CREATE INDEX run_app_state ON runs_run (app_id, status, created_at DESC, id DESC, member_id, shared_at)
    WHERE deleted_at IS NULL AND status <> 'completed'
"""


def create(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(CREATE)


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX run_app_state")


class Migration(migrations.Migration):
    dependencies = (("runs", "0070_guest_emails"),)

    operations = (migrations.RunPython(create, drop),)
