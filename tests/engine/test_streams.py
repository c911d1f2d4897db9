"""Following runs live: which runs get a stream, and what the streams report."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from runs.connection import rate_limit, status
from runs.connection.rate_limit import Priority
from runs.engine import stream_refusals, streams
from runs.lamina import streams as lamina_streams
from runs.models import App, Member, RequestWindow, Run
from tests.engine.steps import start
from tests.engine.watch_steps import followed, followers, is_final, watch_until, watching
from tests.support.factories import make_run
from tests.support.processes import wait_until
from tests.support.sandbox_door import SandboxDoor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_quick_streams")]


def test_the_waits_are_those_in_the_decision_about_streams() -> None:
    assert lamina_streams.SILENT_SECONDS == 40  # then a stream is closed
    assert streams.REST_SECONDS == 60  # before the same run gets another
    assert streams.ALONE_SECONDS == 90  # then the run is looked up in the list, too
    assert timedelta(days=1) == stream_refusals.REFUSED_FOR


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


def test_runs_on_a_screen_and_the_youngest_come_first(
    alice: Member, app: App, sandbox: SandboxDoor, settings: Settings
) -> None:
    settings.LAMINA_STREAMS = 2
    opened, _, young = (start(alice, app, sandbox) for _ in range(3))
    Run.objects.filter(pk=opened.pk).update(opened_at=timezone.now())

    with watching() as watch:
        watch.round()
        wait_until(lambda: len(followed(sandbox)) == 2, "two streams")

    assert set(followed(sandbox)) == {opened.remote_id, young.remote_id}
    assert len(sandbox.requests_to("runs")) == 1  # the poller reads the list for the sake of the third run


def test_starts_and_their_reserve_come_first(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    """The budget has room for three more streams, but two runs are waiting to be sent."""
    for _ in range(3):
        start(alice, app, sandbox)
    for _ in range(2):
        make_run(alice, app, status="starting", due_at=timezone.now() + timedelta(hours=1))
    limit = 100 - Priority.STREAM
    RequestWindow.objects.update_or_create(pk=rate_limit.ROW_ID, defaults={"stamps": [time.time()] * (limit - 3)})

    with watching() as watch:
        watch.streams.tend(besides=(), is_due=True)
        assert rate_limit.used() == limit - 2
        RequestWindow.objects.update(stamps=[])
        watch.streams.tend(besides=(), is_due=True)
        assert rate_limit.used() == 2


def test_where_webhooks_arrive_only_runs_on_a_screen_are_followed(
    alice: Member, app: App, sandbox: SandboxDoor, settings: Settings
) -> None:
    settings.LAMINA_WEBHOOKS = "on"
    status.record_status(delivered_at=timezone.now())
    start(alice, app, sandbox)
    opened = start(alice, app, sandbox)
    Run.objects.filter(pk=opened.pk).update(opened_at=timezone.now())

    with watching() as watch:
        watch.round()
        wait_until(lambda: followed(sandbox), "the stream")
        watch.round()

    assert followed(sandbox) == [opened.remote_id]


def test_without_streams_there_are_none(alice: Member, app: App, sandbox: SandboxDoor, settings: Settings) -> None:
    settings.LAMINA_STREAMS = 0
    start(alice, app, sandbox)

    with watching() as watch:
        watch.round()

    assert followers() == []
    assert len(sandbox.requests_to("runs")) == 1
