"""How PostgreSQL runs our queries."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper


def on_connection_created(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Turn off the JIT compiler, which takes a quarter of a second for queries that run in a hundredth."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET jit = off")
