"""Following runs live: which runs get a stream, what it brings, and what takes over when it ends."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from runs.background import leases
from runs.connection import rate_limit
from runs.engine import poller_wakeups, polling, stream_refusals, streams
from runs.engine.polling import LeaseLost, Watch
from runs.models import App, LaminaStatus, Member, RequestLog, Run
from tests.engine.steps import hand_over, start
from tests.support.cartoonify import press
from tests.support.factories import make_run
from tests.support.processes import wait_until
from tests.support.sandbox_door import SandboxDoor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _streams(settings: Settings, sandbox: SandboxDoor) -> None:
    settings.LAMINA_STREAMS = 40
    sandbox.control("follow", look_seconds=0.05)


@contextmanager
def watching() -> Iterator[Watch]:
    """Hold the lease and watch, but only when the test says so."""
    watch = Watch(leases.new_holder())
    assert leases.acquire(poller_wakeups.POLLER, watch.holder, polling.LEASE_SECONDS)
    try:
        yield watch
    finally:
        watch.streams.close()
        leases.release(poller_wakeups.POLLER, watch.holder)


def watch_until(watch: Watch, done: Callable[[], bool], what: str) -> None:
    """Let the poller work, round after round, until `done`."""

    def is_done() -> bool:
        watch.round()
        watch._sleep(0.05)
        return done()

    wait_until(is_done, what)


def is_final(run: Run) -> bool:
    run.refresh_from_db()
    return run.is_final


def followers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("stream-")]


@pytest.mark.parametrize("end", ["completed", "failed", "cancelled"])
def test_a_run_costs_two_requests(alice: Member, app: App, sandbox: SandboxDoor, end: str) -> None:
    run = start(alice, app, sandbox)

    with watching() as watch:
        watch_until(watch, lambda: bool(sandbox.requests_to("stream")), "the stream to be opened")
        sandbox.control(f"runs/{run.remote_id}", status=end)
        watch_until(watch, lambda: is_final(run), "the end")
        assert watch.round() is None

    assert run.status == end
    assert run.outputs.filter(status="pending").count() == 0
    assert [len(sandbox.requests_to(name)) for name in ("run_start", "stream", "runs", "run")] == [1, 1, 0, 0]
    assert followers() == []


def test_early_results_cost_nothing(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    run = start(alice, app, sandbox)
    Run.objects.update(opened_at=timezone.now())

    def has_one() -> bool:
        run.refresh_from_db()
        return run.outputs_ready == 1

    with watching() as watch:
        watch_until(watch, lambda: bool(sandbox.requests_to("stream")), "the stream to be opened")
        sandbox.control(f"runs/{run.remote_id}", status="running", ready=1)
        watch_until(watch, has_one, "the first result")

    assert run.status == "running"
    assert sandbox.requests_to("run") == sandbox.requests_to("runs") == []


def test_a_new_run_gets_its_stream_while_the_poller_sleeps(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    start(alice, app, sandbox)
    with watching() as watch:
        watch.round()
        second = start(alice, app, sandbox)
        watch._sleep(2 * streams.TEND_SECONDS)
        wait_until(lambda: len(sandbox.requests_to("stream")) == 2, "the second stream")
    assert sandbox.requests_to("stream")[-1]["runId"] == second.remote_id
