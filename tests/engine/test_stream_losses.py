"""What takes over when a stream ends, breaks or sends nothing."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from runs.connection import lamina_api
from runs.engine import progress, streams
from runs.lamina import streams as lamina_streams
from runs.models import App, LaminaStatus, Member, Run
from tests.engine.steps import start
from tests.engine.watch_steps import followed, followers, is_final, watch_until, watching
from tests.support.processes import wait_until
from tests.support.sandbox_door import SandboxDoor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_quick_streams")]


def test_a_stream_that_hides_the_end_is_found_out_by_the_list(
    alice: Member, app: App, sandbox: SandboxDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.control("faults", endpoint="stream", fault="endless", times=None)
    run = start(alice, app, sandbox)

    with watching() as watch:
        watch_until(watch, lambda: bool(followed(sandbox)), "the stream")
        sandbox.control(f"runs/{run.remote_id}", status="completed")
        for _ in range(3):
            watch.round()
        assert sandbox.requests_to("runs") == []
        monkeypatch.setattr(streams, "ALONE_SECONDS", 0.0)
        watch_until(watch, lambda: is_final(run), "the end")
        watch.round()
        wait_until(lambda: followers() == [], "its stream to be closed")

    assert [len(sandbox.requests_to(name)) for name in ("runs", "run")] == [1, 1]


@pytest.mark.parametrize("fault", ["break", "close", "half_event", "stranger", "junk"])
def test_a_stream_that_ends_early_leaves_its_run_to_the_list(
    alice: Member, app: App, sandbox: SandboxDoor, fault: str
) -> None:
    sandbox.control("faults", endpoint="stream", fault=fault, times=None)
    run = start(alice, app, sandbox)

    with watching() as watch:
        watch_until(watch, lambda: bool(sandbox.requests_to("runs")), "the list to be read")
        assert not is_final(run)
        sandbox.control(f"runs/{run.remote_id}", status="completed")
        watch_until(watch, lambda: is_final(run), "the end")

    assert run.status == "completed"
    assert len(followed(sandbox)) == 1  # a run's stream is reopened at most once a minute


def test_a_stream_that_ended_early_is_opened_again_after_a_minute(
    alice: Member, app: App, sandbox: SandboxDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "REST_SECONDS", 0.0)
    sandbox.control("faults", endpoint="stream", fault="break")
    start(alice, app, sandbox)

    with watching() as watch:
        watch_until(watch, lambda: len(followed(sandbox)) == 2, "the second stream")


def failing_once(act: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that raises a database error when first called, and then does the same as `act`."""
    errors = [OperationalError("the connection was closed")]

    def call(*args: Any, **kwargs: Any) -> Any:
        if errors:
            raise errors.pop()
        return act(*args, **kwargs)

    return call


def test_what_the_database_did_not_take_is_read_again(
    alice: Member, app: App, sandbox: SandboxDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start(alice, app, sandbox)

    def has_one() -> bool:
        Run.objects.update(opened_at=timezone.now())
        watch.run(until=time.monotonic() + 0.1)
        run.refresh_from_db()
        return run.outputs_ready == 1

    with watching() as watch:
        watch_until(watch, lambda: Run.objects.filter(asked_at__isnull=False).exists(), "the first update")
        monkeypatch.setattr(progress, "apply_snapshot", failing_once(progress.apply_snapshot))
        sandbox.control(f"runs/{run.remote_id}", status="running", ready=1)
        wait_until(has_one, "the first result", seconds=30)
        assert not watch.streams.follows(run)


def test_a_refusal_that_could_not_be_noted_is_no_silent_stream(
    alice: Member, app: App, sandbox: SandboxDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.control("faults", endpoint="stream", fault="plain_429", seconds=1)
    start(alice, app, sandbox)
    monkeypatch.setattr(streams, "note", failing_once(lamina_api.note))

    with watching() as watch:
        watch.streams.tend(besides=(), is_due=True)
        wait_until(lambda: not followers(), "the answer")
        with pytest.raises(OperationalError):
            watch._apply_arrivals()
        watch._apply_arrivals()

    assert LaminaStatus.objects.get().stream_failures == 0


def test_an_end_without_any_outputs_is_read_once_more(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    sandbox.control("faults", endpoint="stream", fault="bare_end", times=None)
    run = start(alice, app, sandbox)

    with watching() as watch:
        watch_until(watch, lambda: bool(sandbox.requests_to("runs")), "the list to be read")
        assert not is_final(run)
        sandbox.control(f"runs/{run.remote_id}", status="completed")
        watch_until(watch, lambda: is_final(run), "the end")

    assert (run.status, run.outputs_ready) == ("completed", 2)
    assert len(sandbox.requests_to("run")) == 1


def test_a_silent_stream_is_given_up(
    alice: Member, app: App, sandbox: SandboxDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lamina_streams, "SILENT_SECONDS", 0.5)
    sandbox.control("faults", endpoint="stream", fault="silence", after=1)
    run = start(alice, app, sandbox)

    with watching() as watch:
        watch_until(watch, lambda: bool(followed(sandbox)), "the stream")
        sandbox.control(f"runs/{run.remote_id}", status="completed")
        watch_until(watch, lambda: is_final(run), "the end")

    assert len(sandbox.requests_to("runs")) >= 1


def test_followed_runs_are_read_by_id_every_90_seconds_where_the_list_is_refused(
    alice: Member, app: App, sandbox: SandboxDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.control("faults", endpoint="runs", fault="status", status=403, times=None)
    start(alice, app, sandbox)
    Run.objects.update(opened_at=timezone.now())

    with watching() as watch:
        watch_until(watch, lambda: bool(followed(sandbox)), "the stream")
        with monkeypatch.context() as now:
            now.setattr(streams, "ALONE_SECONDS", -1.0)
            watch.round()
        for _ in range(3):
            watch.round()

    assert [len(sandbox.requests_to(name)) for name in ("runs", "run")] == [1, 1]
