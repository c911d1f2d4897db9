"""The request budget in a real Redis: the same rules as in the database, for any number of processes at once."""

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from pytest_django import Settings
from redis import Redis

from runs.services import budget, budget_redis
from runs.services.budget import Priority
from tests.support.processes import free_port

NAMES = (budget_redis.STAMPS, budget_redis.CLOSED, budget_redis.NUMBER)
TAKE_MANY = """
import sys
from django.conf import settings
settings.configure(REDIS_URL=sys.argv[1], INSTALLED_APPS=[])
from runs.services import budget_redis
print(sum(budget_redis.ask(budget_redis.TAKE, 62.0, 100) == 0 for _ in range(40)))
"""


@pytest.fixture(autouse=True)
def redis(redis_url: str, settings: Settings) -> Iterator["Redis"]:
    settings.REDIS_URL = f"{redis_url.rpartition('/')[0]}/3"
    server = Redis.from_url(settings.REDIS_URL)
    server.delete(*NAMES)
    yield server
    server.delete(*NAMES)


def test_what_matters_less_leaves_room_for_what_matters_more() -> None:
    assert [budget.take(Priority.CATALOG) == 0 for _ in range(60)].count(True) == 50
    assert [budget.take(Priority.LIST) == 0 for _ in range(60)].count(True) == 47
    assert [budget.take(Priority.START) == 0 for _ in range(60)].count(True) == 3
    assert budget.used() == 100
    assert 20 < budget.take(Priority.START) <= 62


def test_who_has_to_wait_hears_how_long(redis: "Redis") -> None:
    now = time.time()
    for seconds, count in ((32, 3), (22, 47), (2, 50)):
        redis.zadd(budget_redis.STAMPS, {f"{seconds} {n}": now - seconds for n in range(count)})

    assert 20 < budget.take(Priority.START) <= 30  # the oldest leave after 62 s
    assert 30 < budget.take(Priority.LIST) <= 40  # three more have to
    assert 50 < budget.take(Priority.CATALOG) <= 60  # and half of them all
    assert budget.used() == 100


def test_a_request_is_forgotten_after_its_minute(redis: "Redis") -> None:
    redis.zadd(budget_redis.STAMPS, {str(n): time.time() - 63 for n in range(100)})

    assert budget.take(Priority.START) == 0
    assert budget.used() == 1


def test_nobody_asks_while_lamina_says_to_wait() -> None:
    budget.close(300)
    budget.close(5)  # the longer one counts

    assert 200 < budget.closed_seconds() <= 300
    assert 200 < budget.take(Priority.START) <= 300
    assert budget.used() == 0


def test_a_long_wait_is_cut(redis: "Redis") -> None:
    budget.close(1_000_000)

    assert 500 < budget.closed_seconds() <= 600


def test_strangers_at_our_address_are_counted() -> None:
    for _ in range(10):
        budget.take(Priority.START)
    budget.learn(86)  # four others: on their way, not worth a note
    assert budget.used() == 10
    budget.learn(40)
    assert budget.used() == 60
    budget.learn(40)
    assert budget.used() == 60


def test_processes_at_once_never_take_more_than_the_limit(settings: Settings) -> None:
    command = [sys.executable, "-c", TAKE_MANY, settings.REDIS_URL]
    together = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]

    taken = [int(process.communicate(timeout=60)[0]) for process in together]

    assert sum(taken) == 100


def test_nothing_is_asked_while_redis_is_away(settings: Settings) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"

    assert budget.take(Priority.START) == budget_redis.AWAY_SECONDS
    assert (budget.used(), budget.closed_seconds()) == (0, 0.0)
    budget.close(5)
    budget.learn(3)
