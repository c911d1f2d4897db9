"""A bound on what one search may take: nobody waits without end, and no search holds a web thread for a minute.

Neither way costs a query: SQLite looks at the clock itself, PostgreSQL is told by a watch to stop.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection

SEARCH_SECONDS = 4.0  # well above any search measured at 100,000 runs
AGAIN_SECONDS = 0.2
STEPS = 20_000  # instructions of SQLite between two looks at the clock: some milliseconds


class TookTooLong(Exception):
    """The database was stopped in the middle of it."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Stop what the database is asked within, together at most SECONDS. Raises `TookTooLong`."""
    connection.ensure_connection()
    began = time.monotonic()
    try:
        with _stopped_postgres(seconds) if connection.vendor == "postgresql" else _stopped_sqlite(seconds):
            yield
    except OperationalError as error:
        if time.monotonic() - began < seconds:
            raise
        raise TookTooLong from error


@contextmanager
def _stopped_sqlite(seconds: float) -> Iterator[None]:
    ends_at = time.monotonic() + seconds
    connection.connection.set_progress_handler(lambda: time.monotonic() > ends_at, STEPS)
    try:
        yield
    finally:
        connection.connection.set_progress_handler(None, 0)


@contextmanager
def _stopped_postgres(seconds: float) -> Iterator[None]:
    server, lock, over, is_stopped = connection.connection, threading.Lock(), threading.Event(), False

    def stop() -> None:
        nonlocal is_stopped
        wait_seconds = seconds
        while not over.wait(wait_seconds):
            with lock:
                if not over.is_set():
                    is_stopped = True
                    server.cancel()
            wait_seconds = AGAIN_SECONDS  # it may have come just between two questions

    threading.Thread(target=stop, daemon=True).start()
    try:
        yield
    finally:
        with lock:
            over.set()
        if is_stopped and not connection.in_atomic_block:
            connection.close()  # should the word to stop come late, it must not meet somebody else's question
