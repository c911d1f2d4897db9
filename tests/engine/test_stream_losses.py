"""What takes over when a stream ends, breaks or sends nothing."""

import pytest
from django.utils import timezone

from runs.engine import streams
from runs.lamina import streams as lamina_streams
from runs.models import App, Member, Run
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
