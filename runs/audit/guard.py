"""Triggers that stop entries from being changed or deleted, even with raw SQL. Only `opened` allows old entries to be
deleted.

They are created after every `migrate`, because SQLite drops them when a migration rebuilds the table. The portal checks
for them when it starts.

The triggers protect against mistakes in the portal's code, and against mistakes by people who edit the database by
hand. They can only be lifted for one transaction at a time. The database's owner can still remove them; only a copy
stored elsewhere protects against that (`audit.log_lines`).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

TABLE = "runs_entry"
POSTGRESQL = """
CREATE OR REPLACE FUNCTION runs_entry_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- The setting holds the number of the one transaction that may delete, so one that was left behind opens nothing.
    IF TG_OP = 'DELETE' AND current_setting('portal.may_delete_entries', true) = txid_current()::text THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'The record only grows: entries are never changed or deleted.';
END
$$;
CREATE OR REPLACE TRIGGER runs_entry_rows BEFORE UPDATE OR DELETE ON runs_entry
    FOR EACH ROW EXECUTE FUNCTION runs_entry_refuse();
CREATE OR REPLACE TRIGGER runs_entry_truncate BEFORE TRUNCATE ON runs_entry
    FOR EACH STATEMENT EXECUTE FUNCTION runs_entry_refuse();
"""
SQLITE = (
    # This table has a row only during a transaction that may delete entries.
    "CREATE TABLE IF NOT EXISTS runs_entrypass (id INTEGER PRIMARY KEY)",
    """CREATE TRIGGER IF NOT EXISTS runs_entry_update BEFORE UPDATE ON runs_entry
        BEGIN SELECT RAISE(ABORT, 'The record only grows: entries are never changed or deleted.'); END""",
    """CREATE TRIGGER IF NOT EXISTS runs_entry_delete BEFORE DELETE ON runs_entry
        WHEN NOT EXISTS (SELECT 1 FROM runs_entrypass)
        BEGIN SELECT RAISE(ABORT, 'The record only grows: entries are never changed or deleted.'); END""",
    # REPLACE deletes the old row without firing the trigger above.
    """CREATE TRIGGER IF NOT EXISTS runs_entry_replace BEFORE INSERT ON runs_entry
        WHEN EXISTS (SELECT 1 FROM runs_entry WHERE id = NEW.id OR public_id = NEW.public_id)
        BEGIN SELECT RAISE(ABORT, 'The record only grows: entries are never changed or deleted.'); END""",
)
NAMES = {
    "postgresql": {"runs_entry_rows", "runs_entry_truncate"},
    "sqlite": {"runs_entry_update", "runs_entry_delete", "runs_entry_replace"},
}


def install() -> None:
    """Create any missing triggers, if the table exists."""
    if TABLE not in connection.introspection.table_names():
        return
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in SQLITE if connection.vendor == "sqlite" else (POSTGRESQL,):
            cursor.execute(statement)


def missing() -> set[str]:
    """Return the names of triggers that are missing or disabled."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [TABLE])
        else:
            cursor.execute(
                "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(%s) AND tgenabled IN ('O', 'A')", [TABLE]
            )
        return NAMES[connection.vendor] - {name for (name,) in cursor.fetchall()}


def close() -> None:
    """On SQLite, remove any leftover permission to delete entries. On PostgreSQL, the permission ends with its
    transaction."""
    if connection.vendor == "sqlite" and TABLE in connection.introspection.table_names():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("DELETE FROM runs_entrypass")


@contextmanager
def opened() -> Iterator[None]:
    """Allow entries to be deleted in this block, which runs in its own transaction. Other transactions still can't
    delete any."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("INSERT OR IGNORE INTO runs_entrypass VALUES (1)")
        else:
            cursor.execute("SELECT set_config('portal.may_delete_entries', txid_current()::text, true)")
        yield
        if connection.vendor == "sqlite":
            cursor.execute("DELETE FROM runs_entrypass")
        else:
            cursor.execute("SET LOCAL portal.may_delete_entries = ''")
