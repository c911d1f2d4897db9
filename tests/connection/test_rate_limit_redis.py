"""The request budget in a real Redis: the same rules as in the database, for any number of processes at once."""

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from pytest_django import Settings
from redis import Redis

from runs.connection import rate_limit, rate_limit_redis
from runs.connection.rate_limit import Priority
from tests.support.processes import free_port

NAMES = (rate_limit_redis.STAMPS, rate_limit_redis.CLOSED, rate_limit_redis.NUMBER)
TAKE_MANY = """
import sys
from django.conf import settings
settings.configure(REDIS_URL=sys.argv[1], INSTALLED_APPS=[])
from runs.connection import rate_limit_redis
print(sum(rate_limit_redis.ask(rate_limit_redis.TAKE, 62.0, 100) == 0 for _ in range(40)))
"""


@pytest.fixture(autouse=True)
def redis(redis_url: str, settings: Settings) -> Iterator["Redis"]:
    settings.REDIS_URL = f"{redis_url.rpartition('/')[0]}/3"
    server = Redis.from_url(settings.REDIS_URL)
    server.delete(*NAMES)
    yield server
    server.delete(*NAMES)


def test_less_important_requests_leave_room() -> None:
    assert [rate_limit.take(Priority.CATALOG) == 0 for _ in range(60)].count(True) == 50
    assert [rate_limit.take(Priority.LIST) == 0 for _ in range(60)].count(True) == 47
    assert [rate_limit.take(Priority.START) == 0 for _ in range(60)].count(True) == 3
    assert rate_limit.used() == 100
    assert 20 < rate_limit.take(Priority.START) <= 62


def test_a_held_back_request_is_told_how_long(redis: "Redis") -> None:
    now = time.time()
    for seconds, count in ((32, 3), (22, 47), (2, 50)):
        redis.zadd(rate_limit_redis.STAMPS, {f"{seconds} {n}": now - seconds for n in range(count)})

    assert 20 < rate_limit.take(Priority.START) <= 30  # the oldest requests expire after 62 s
    assert 30 < rate_limit.take(Priority.LIST) <= 40  # three more requests have to expire
    assert 50 < rate_limit.take(Priority.CATALOG) <= 60  # half of the requests have to expire
    assert rate_limit.used() == 100


def test_a_request_is_forgotten_after_its_minute(redis: "Redis") -> None:
    redis.zadd(rate_limit_redis.STAMPS, {str(n): time.time() - 63 for n in range(100)})

    assert rate_limit.take(Priority.START) == 0
    assert rate_limit.used() == 1


def test_nothing_is_sent_while_lamina_says_to_wait() -> None:
    rate_limit.close(300)
    rate_limit.close(5)  # the longer wait wins

    assert 200 < rate_limit.closed_seconds() <= 300
    assert 200 < rate_limit.take(Priority.START) <= 300
    assert rate_limit.used() == 0


def test_a_long_wait_is_cut(redis: "Redis") -> None:
    rate_limit.close(1_000_000)

    assert 500 < rate_limit.closed_seconds() <= 600


def test_others_at_our_address_are_counted() -> None:
    for _ in range(10):
        rate_limit.take(Priority.START)
    rate_limit.learn(86)  # four requests came from other clients, too few to count
    assert rate_limit.used() == 10
    rate_limit.learn(40)
    assert rate_limit.used() == 60
    rate_limit.learn(40)
    assert rate_limit.used() == 60


def test_processes_at_once_never_take_more_than_the_limit(settings: Settings) -> None:
    command = [sys.executable, "-c", TAKE_MANY, settings.REDIS_URL]
    together = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]

    taken = [int(process.communicate(timeout=60)[0]) for process in together]

    assert sum(taken) == 100


def test_nothing_is_sent_while_redis_is_away(settings: Settings) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"

    assert rate_limit.take(Priority.START) == rate_limit_redis.AWAY_SECONDS
    assert (rate_limit.used(), rate_limit.closed_seconds()) == (0, 0.0)
    rate_limit.close(5)
    rate_limit.learn(3)
