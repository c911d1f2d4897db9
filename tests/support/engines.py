"""The two ways to run the portal: on SQLite, which doubles as the queue, and on PostgreSQL with Redis.

The second uses a new database on each of the servers in TEST_DATABASE_URL and TEST_REDIS_URL.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

REDIS_DATABASES = range(4, 16)  # the other tests use database 0
TAKEN_SECONDS = 1800


@dataclass(frozen=True)
class Engine:
    """An engine and the portal's environment variables for it."""

    name: str
    env: dict[str, str] = field(default_factory=dict)


def has_servers() -> bool:
    """Return whether PostgreSQL and Redis servers are configured for tests."""
    return bool(os.environ.get("TEST_DATABASE_URL")) and bool(os.environ.get("TEST_REDIS_URL"))


def names() -> list[str]:
    """Return the engines that tests can use here."""
    return ["sqlite", "postgres"] if has_servers() else ["sqlite"]


def parameters(*before: str) -> list[Any]:
    """Return pytest parameters for each combination of a prefix in `before` and an engine; those for "postgres" get the
    mark "postgres"."""
    import pytest  # imported here, because programs that use this module don't need it

    marks = {"postgres": [pytest.mark.postgres]}
    made = [(f"{word}-{name}" if word else name, marks.get(name, [])) for word in before or ("",) for name in names()]
    return [pytest.param(name, marks=chosen) for name, chosen in made]


@contextmanager
def engine(name: str) -> Iterator[Engine]:
    """Provide an empty database and queue for one portal. For "postgres", both are removed at the end."""
    if name == "sqlite":
        yield Engine("SQLite")
        return
    import psycopg
    import redis

    server = os.environ["TEST_DATABASE_URL"]
    database = f"portal_{os.getpid()}"
    broker = free_redis(os.environ["TEST_REDIS_URL"].rpartition("/")[0])
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{database}"')
    try:
        url = urlsplit(server)._replace(path=f"/{database}").geturl()
        yield Engine("PostgreSQL and Redis", {"DATABASE_URL": url, "REDIS_URL": broker})
    finally:
        redis.Redis.from_url(broker).flushdb()
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')


def free_redis(server: str) -> str:
    """Reserve an unused database on `server`, for half an hour or until it is emptied; return its address."""
    import redis

    for number in REDIS_DATABASES:
        if redis.Redis.from_url(f"{server}/{number}").set("tests:taken", os.getpid(), nx=True, ex=TAKEN_SECONDS):
            return f"{server}/{number}"
    raise RuntimeError(f"every database of {server} is taken")
