"""The poller following runs under a test's control: its rounds, its streams, and its requests to the sandbox."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from runs.background import leases
from runs.connection.rate_limit import RateLimitWait
from runs.engine import poller_wakeups, polling
from runs.engine.polling import Watch
from runs.models import Run
from tests.support.processes import wait_until
from tests.support.sandbox_door import SandboxDoor


@contextmanager
def watching() -> Iterator[Watch]:
    """Hold the poller's lease; runs are followed only when the test makes the watch work."""
    watch = Watch(leases.new_holder())
    assert leases.acquire(poller_wakeups.POLLER, watch.holder, polling.LEASE_SECONDS)
    try:
        yield watch
    finally:
        watch.streams.close()
        leases.release(poller_wakeups.POLLER, watch.holder)


def watch_until(watch: Watch, done: Callable[[], bool], what: str) -> None:
    """Let the poller work round after round until `done()` is true. These rounds follow each other so quickly that a
    slow machine may use up the minute's requests; even then, updates keep arriving through the streams."""

    def is_done() -> bool:
        with suppress(RateLimitWait):
            watch.round()
        watch._sleep(0.05)
        return done()

    wait_until(is_done, what)


def is_final(run: Run) -> bool:
    run.refresh_from_db()
    return run.is_final


def followers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("stream-")]


def followed(sandbox: SandboxDoor) -> list[str]:
    return [request["runId"] for request in sandbox.requests_to("stream")]
