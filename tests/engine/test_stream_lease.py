"""Streams end when the poller loses its lease, or when their run ends."""

import time
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from runs.background import leases
from runs.connection import status
from runs.engine import poller_wakeups, polling, progress, stream_refusals, streams
from runs.engine.polling import LeaseLost
from runs.lamina import streams as lamina_streams
from runs.models import App, Lease, Member
from tests.engine.steps import start
from tests.engine.watch_steps import followed, followers, is_final, watch_until, watching
from tests.support.processes import wait_until
from tests.support.sandbox_door import SandboxDoor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_quick_streams")]


def test_a_poller_that_lost_its_lease_applies_nothing_more(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    run = start(alice, app, sandbox)
    sandbox.control("follow", look_seconds=0.05)

    with watching() as watch:
        watch_until(watch, lambda: bool(followed(sandbox)), "the stream")
        Lease.objects.update(until=Now() - timedelta(seconds=1))  # as if the poller had been frozen for 12 s
        watch.renewed_at -= polling.LEASE_SECONDS
        assert leases.acquire(poller_wakeups.POLLER, "another", polling.LEASE_SECONDS)
        sandbox.control(f"runs/{run.remote_id}", status="completed")
        wait_until(lambda: not followers(), "the stream to tell the end")
        with pytest.raises(LeaseLost):
            watch.run(until=time.monotonic() + 60)

    assert not is_final(run)


def test_silent_streams_are_given_up_only_under_the_lease(
    alice: Member, app: App, sandbox: SandboxDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.control("faults", endpoint="stream", fault="silence", after=0, times=None)
    start(alice, app, sandbox)
    status.record_status(stream_failures=stream_refusals.FAILURES - 1)  # the next failure leads to a request

    with watching() as watch:
        watch_until(watch, lambda: bool(followed(sandbox)), "the stream")
        monkeypatch.setattr(lamina_streams, "SILENT_SECONDS", -1.0)
        Lease.objects.filter(name=poller_wakeups.POLLER).update(until=Now() - timedelta(seconds=1))
        assert leases.acquire(poller_wakeups.POLLER, "another", polling.LEASE_SECONDS)
        with pytest.raises(LeaseLost):
            watch.streams.tend(besides=(), is_due=True)

    assert sandbox.requests_to("run") == []


def test_a_stopping_poller_asks_nothing_about_silent_streams(
    alice: Member, app: App, sandbox: SandboxDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.control("faults", endpoint="stream", fault="silence", after=0, times=None)
    start(alice, app, sandbox)
    status.record_status(stream_failures=stream_refusals.FAILURES - 1)

    with watching() as watch:
        watch_until(watch, lambda: bool(followed(sandbox)), "the stream")
        monkeypatch.setattr(lamina_streams, "SILENT_SECONDS", -1.0)
        monkeypatch.setattr(streams, "stop_requested", lambda: True)
        watch.streams.tend(besides=(), is_due=True)

    assert sandbox.requests_to("run") == []


def test_a_window_leaves_no_stream_behind(
    alice: Member, app: App, sandbox: SandboxDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "WINDOW_SECONDS", 1.0)
    for _ in range(3):
        start(alice, app, sandbox)

    polling.poll_window()

    assert len(followed(sandbox)) == 3
    assert followers() == []
    wait_until(lambda: sandbox.state["streams"] == [], "the connections to be closed")


def test_the_stream_of_a_run_that_ended_otherwise_is_closed(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    run = start(alice, app, sandbox)
    start(alice, app, sandbox)
    sandbox.control("follow", look_seconds=600)

    with watching() as watch:
        watch_until(watch, lambda: len(followed(sandbox)) == 2, "the streams")
        progress.fail(run, "lost", timezone.now(), from_statuses=("queued", "running"))
        watch.round()
        wait_until(lambda: len(sandbox.state["streams"]) == 1, "its stream to be closed")
        wait_until(lambda: len(followers()) == 1, "its thread to end")
