"""How PostgreSQL runs our queries."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper


def on_connection_created(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Set what suits queries for a few rows out of many.

    The JIT compiler takes a quarter of a second for queries that run in a hundredth. And by default, PostgreSQL plans
    for a spinning disk: it would rather read a whole table than look up a thousand of its rows. An operator's own cost
    stays.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET jit = off")
            cursor.execute(
                "SELECT set_config(name, '1.1', false) FROM pg_settings"
                " WHERE name = 'random_page_cost' AND source = 'default'"
            )
