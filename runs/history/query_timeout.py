"""A time limit for searches, so that one search can't block a web thread.

This takes no extra query: SQLite checks the clock while it works, and on PostgreSQL, another thread cancels the query.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection

SEARCH_SECONDS = 4.0  # much longer than any search took when we measured with 100,000 runs
AGAIN_SECONDS = 0.2
STEPS = 20_000  # how many SQLite instructions to run between two checks of the clock: a few milliseconds' worth


class TookTooLong(Exception):
    """The query was stopped before it finished."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Stop the queries in this block once they have taken `seconds` in total, and then raise `TookTooLong`. These
    blocks can't be nested."""
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
            wait_seconds = AGAIN_SECONDS  # the first cancel may have arrived between two queries

    threading.Thread(target=stop, daemon=True).start()
    try:
        yield
    finally:
        with lock:
            over.set()
        if is_stopped and not connection.in_atomic_block:
            connection.close()  # a cancel that arrives late mustn't stop the next query on this connection
