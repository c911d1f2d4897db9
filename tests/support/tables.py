"""The rows of a freshly migrated database, and a quick way to restore them after a test that committed changes.

Django's own `flush` takes ten times as long: it empties every table, and then sends `post_migrate`, which looks for
everything that the migrations have already created.
"""

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from runs.audit import guard

Rows = list[tuple[Any, ...]]


def way_back() -> Callable[[], None]:
    """Remember what the tables hold now; return a function that restores it."""
    with connection.cursor() as cursor:
        first = {table: _rows(cursor, table) for table in _filled(cursor)}

    def go_back() -> None:
        with guard.opened(), connection.cursor() as cursor:
            for table in _filled(cursor, *first):
                if _rows(cursor, table) != first.get(table, []):
                    cursor.execute(f"DELETE FROM {_quoted(table)}")  # noqa: S608 - the names of our own tables
                    _insert(cursor, table, first.get(table, []))

    return go_back


def _filled(cursor: CursorWrapper, *more: str) -> list[str]:
    """Return the tables that have rows, plus those in `more`."""
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    if not tables:  # no test of this session needs the usual database
        return []
    questions = [f"EXISTS (SELECT 1 FROM {_quoted(table)})" for table in tables]  # noqa: S608
    cursor.execute(f"SELECT {', '.join(questions)}")
    found = cursor.fetchone()
    return [table for table, is_filled in zip(tables, found or (), strict=True) if is_filled or table in more]


def _rows(cursor: CursorWrapper, table: str) -> Rows:
    cursor.execute(f"SELECT * FROM {_quoted(table)}")  # noqa: S608
    return sorted(cursor.fetchall(), key=repr)


def _insert(cursor: CursorWrapper, table: str, rows: Rows) -> None:
    for row in rows:
        cursor.execute(f"INSERT INTO {_quoted(table)} VALUES ({', '.join(['%s'] * len(row))})", row)  # noqa: S608


def _quoted(table: str) -> str:
    return connection.ops.quote_name(table)
