"""Settings for how PostgreSQL runs our queries."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper


def on_connection_created(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Choose settings for queries that need only a few rows of large tables.

    The JIT compiler takes 250 ms even for queries that run in 10 ms. By default, PostgreSQL also assumes a spinning
    disk: it would rather read a whole table than look up a thousand of its rows. If the operator has set
    `random_page_cost`, we keep it.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET jit = off")
            cursor.execute(
                "SELECT set_config(name, '1.1', false) FROM pg_settings"
                " WHERE name = 'random_page_cost' AND source = 'default'"
            )
