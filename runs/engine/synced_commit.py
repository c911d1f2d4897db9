"""Commits that survive a power cut, because we wait until they are on disk before going on.

SQLite normally doesn't wait for the disk (`synchronous=NORMAL`), so a power cut may undo the last commits. That is fine
for most of them, but not for the commit before the one POST that may cost credits: without it, we would send the POST
again. PostgreSQL always waits.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def synced() -> Iterator[None]:
    """Make the commit in this block wait until it and all earlier commits are on disk.

    The block must contain the whole transaction. Inside a transaction, this does nothing, because SQLite can't change
    the setting there.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous")
        (usual,) = cursor.fetchone()
        cursor.execute("PRAGMA synchronous=FULL")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA synchronous={usual}")
