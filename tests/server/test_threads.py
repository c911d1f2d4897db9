"""The thread pool: how many threads work at once, and what replaces one that's waiting for a client."""

import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from lamina_portal.server import threads
from lamina_portal.server.threads import Threads
from tests.support.processes import wait_until

SECONDS = 20


class Job:
    """Runs until told to end or to wait for a client; reports when it has started."""

    def __init__(self, pool: Threads) -> None:
        self.pool = pool
        self.has_begun, self.goes_away, self.comes_back, self.ends = (threading.Event() for _ in range(4))
        self.was_replaced: bool | None = None
        self.future = pool.submit(self)

    def __call__(self) -> str:
        self.has_begun.set()
        if self.goes_away.wait(SECONDS) and not self.ends.is_set():
            with self.pool.away() as is_replaced:
                self.was_replaced = is_replaced
                self.comes_back.wait(SECONDS)
        self.ends.wait(SECONDS)
        return "done"

    def leave(self) -> None:
        self.goes_away.set()
        wait_until(lambda: self.was_replaced is not None, "the job to be away")

    def end(self) -> None:
        for event in (self.ends, self.goes_away, self.comes_back):
            event.set()
        assert self.future.result(SECONDS) == "done"


@pytest.fixture
def pool() -> Iterator[Threads]:
    made = Threads(2, 1)
    yield made
    made.shutdown()


def test_no_more_jobs_run_at_once_than_there_are_threads(pool: Threads) -> None:
    jobs = [Job(pool) for _ in range(3)]
    assert all(job.has_begun.wait(SECONDS) for job in jobs[:2])
    assert not jobs[2].has_begun.wait(0.2)
    jobs[0].end()
    assert jobs[2].has_begun.wait(SECONDS)
    for job in jobs[1:]:
        job.end()


def test_another_thread_replaces_one_that_is_away(pool: Threads) -> None:
    jobs = [Job(pool) for _ in range(3)]
    assert jobs[0].has_begun.wait(SECONDS)
    jobs[0].leave()
    assert jobs[0].was_replaced is True
    assert jobs[2].has_begun.wait(SECONDS)
    for job in jobs:
        job.end()


def test_no_more_are_replaced_than_there_are_spare_threads(pool: Threads) -> None:
    jobs = [Job(pool) for _ in range(4)]
    jobs[0].leave()
    assert jobs[2].has_begun.wait(SECONDS)
    jobs[1].leave()
    assert jobs[1].was_replaced is False
    assert not jobs[3].has_begun.wait(0.2)
    for job in jobs:
        job.end()


def test_an_error_affects_only_its_job(pool: Threads) -> None:
    for _ in range(3):
        future = pool.submit(int, "no number")
        with pytest.raises(ValueError, match="no number"):
            future.result(SECONDS)
    assert pool.submit(int, "1").result(SECONDS) == 1


def test_a_surplus_thread_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "IDLE_SECONDS", 0.1)
    left = threading.Semaphore(0)
    pool = Threads(1, 1, left.release)
    away, other = Job(pool), Job(pool)
    away.leave()
    assert other.has_begun.wait(SECONDS)
    away.end()
    other.end()
    assert left.acquire(timeout=SECONDS)
    assert not left.acquire(timeout=0.3)  # the last thread keeps running
    assert pool.submit(int, "1").result(SECONDS) == 1
    pool.shutdown()
    assert left.acquire(timeout=SECONDS)


def test_a_closed_pool_starts_nothing_more(pool: Threads) -> None:
    jobs = [Job(pool) for _ in range(3)]
    assert all(job.has_begun.wait(SECONDS) for job in jobs[:2])
    pool.shutdown()
    for job in jobs[:2]:
        job.end()
    with suppress(TimeoutError):
        jobs[2].future.result(0.2)
    assert not jobs[2].has_begun.is_set()
