"""A bound on what one search may take: nobody waits without end, and no search holds a web thread for a minute."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection

SEARCH_SECONDS = 4.0  # well above any search measured at 100,000 runs
STEPS = 20_000  # instructions of SQLite between two looks at the clock: some milliseconds


class TookTooLong(Exception):
    """The database was stopped in the middle of it."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Stop what the database is asked within, together at most SECONDS (PostgreSQL: each). Raises `TookTooLong`."""
    connection.ensure_connection()
    set_bound = _bound_postgres if connection.vendor == "postgresql" else _bound_sqlite
    began = time.monotonic()
    set_bound(seconds)
    try:
        yield
    except OperationalError as error:
        if time.monotonic() - began < seconds:
            raise
        raise TookTooLong from error
    finally:
        set_bound(0.0)


def _bound_postgres(seconds: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, false)", [str(round(seconds * 1000))])


def _bound_sqlite(seconds: float) -> None:
    ends_at = time.monotonic() + seconds
    connection.connection.set_progress_handler((lambda: time.monotonic() > ends_at) if seconds else None, STEPS)
