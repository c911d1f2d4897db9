"""Following runs live: which runs get a stream, what it brings, and what takes over when it ends."""

import html
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from runs.background import leases
from runs.connection import rate_limit, status
from runs.connection.rate_limit import Priority
from runs.engine import poller_wakeups, polling, progress, stream_refusals, streams
from runs.engine.polling import LeaseLost, Watch
from runs.lamina import streams as lamina_streams
from runs.models import App, LaminaStatus, Lease, Member, RequestLog, Run
from runs.models.ids import new_public_id
from tests.engine.steps import start
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


# --- Which runs ---------------------------------------------------------------------------------------------------
def followed(sandbox: SandboxDoor) -> list[str]:
    return [request["runId"] for request in sandbox.requests_to("stream")]


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
    assert len(sandbox.requests_to("runs")) == 1  # for the third


def test_starts_and_their_reserve_come_first(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    """The budget has room for three more streams, but two runs wait to be sent."""
    for _ in range(3):
        start(alice, app, sandbox)
    for _ in range(2):
        make_run(alice, app, status="starting", due_at=timezone.now() + timedelta(hours=1))
    limit = 100 - Priority.STREAM
    RequestLog.objects.update_or_create(pk=rate_limit.ROW_ID, defaults={"stamps": [time.time()] * (limit - 3)})

    with watching() as watch:
        watch.streams.tend(besides=(), is_due=True)
        assert rate_limit.used() == limit - 2
        RequestLog.objects.update(stamps=[])
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


# --- The net --------------------------------------------------------------------------------------------------------
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
    assert len(followed(sandbox)) == 1  # opened again at most once a minute


def test_a_stream_that_ended_early_is_opened_again_after_a_minute(
    alice: Member, app: App, sandbox: SandboxDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "REST_SECONDS", 0.0)
    sandbox.control("faults", endpoint="stream", fault="break")
    start(alice, app, sandbox)

    with watching() as watch:
        watch_until(watch, lambda: len(followed(sandbox)) == 2, "the second stream")


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


# --- Refusals ---------------------------------------------------------------------------------------------------------
def refusal() -> str:
    return LaminaStatus.objects.get().streams_refusal


def health(client: Client) -> str:
    return html.unescape(client.get(reverse("runs:manage")).content.decode())


@pytest.mark.parametrize(
    ("code", "runs", "cause"), [(403, 1, "forbidden"), (404, 1, "missing"), (405, 1, "missing"), (500, 3, "broken")]
)
def test_a_refusal_is_remembered_for_a_day_and_told(
    alice: Member, app: App, sandbox: SandboxDoor, as_admin: Client, code: int, runs: int, cause: str
) -> None:
    assert "on, for up to 40 runs at once" in health(as_admin)
    sandbox.control("faults", endpoint="stream", fault="status", status=code, times=None)
    for _ in range(runs):
        run = start(alice, app, sandbox)

    with watching() as watch:
        watch_until(watch, lambda: refusal() == cause, "the refusal")
        start(alice, app, sandbox)
        watch.round()
        assert len(followed(sandbox)) == runs
        sandbox.control(f"runs/{run.remote_id}", status="completed")
        watch_until(watch, lambda: is_final(run), "the end")
    page = health(as_admin)
    assert "the portal reads Lamina's run list instead" in page

    sandbox.clear_faults()
    status.record_status(streams_refused_at=timezone.now() - stream_refusals.REFUSED_FOR)
    with watching() as watch:
        watch_until(watch, lambda: refusal() == "", "streams to work again")
    assert "on, for up to 40 runs at once" in health(as_admin)


@pytest.mark.parametrize("code", [404, 500])
def test_what_is_wrong_with_lamina_or_the_run_is_no_refusal(
    alice: Member, app: App, sandbox: SandboxDoor, code: int
) -> None:
    sandbox.control("faults", endpoint="*", fault="status", status=code, times=None)
    for _ in range(streams.PROBES):
        start_unseen(alice, app)

    with watching() as watch:
        watch.streams.tend(besides=(), is_due=True)
        wait_until(lambda: len(followed(sandbox)) == streams.PROBES and not followers(), "the answers")
        watch._sleep(0.05)

    assert refusal() == ""
    assert stream_refusals.are_allowed(timezone.now())


def start_unseen(member: Member, app: App) -> Run:
    return make_run(member, app, status="running", remote_id=new_public_id(), started_at=timezone.now())


def test_streams_that_break_now_and_then_are_no_refusal(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    sandbox.control("faults", endpoint="stream", fault="status", status=500, times=2)
    for _ in range(3):
        start(alice, app, sandbox)

    with watching() as watch:
        watch_until(watch, lambda: len(followed(sandbox)) == 3, "three streams")
        watch_until(watch, lambda: LaminaStatus.objects.get().stream_failures == 0, "news")

    assert refusal() == ""


def test_a_refusal_costs_few_requests_however_many_runs_there_are(
    alice: Member, app: App, sandbox: SandboxDoor
) -> None:
    sandbox.control("faults", endpoint="stream", fault="delay", seconds=60, times=None)
    runs = [start(alice, app, sandbox) for _ in range(streams.PROBES + 2)]

    with watching() as watch:
        watch.round()
        watch.round()
        assert sum(watch.streams.follows(run) for run in runs) == len(followers()) == streams.PROBES
        sandbox.clear_faults()
        watch_until(watch, lambda: len(followed(sandbox)) == len(runs), "all streams, as soon as one works")


def test_a_stream_that_is_held_back_leaves_its_run_to_the_list(
    alice: Member, app: App, sandbox: SandboxDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "FIRST_NEWS_SECONDS", 0.0)
    sandbox.control("faults", endpoint="stream", fault="silence", after=0)
    run = start(alice, app, sandbox)
    sandbox.control(f"runs/{run.remote_id}", status="completed")

    with watching() as watch:
        watch_until(watch, lambda: is_final(run), "the end")

    assert (len(followed(sandbox)), len(sandbox.requests_to("runs"))) == (1, 1)


def test_too_many_streams_for_lamina_hold_up_nothing_twice(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    """Lamina allows one stream, and answers the next one with 429. For two minutes, the poller tries no third one."""
    first = start(alice, app, sandbox)
    with watching() as watch:
        watch_until(watch, lambda: bool(sandbox.state["streams"]), "the first stream")
        sandbox.control("faults", endpoint="stream", fault="plain_429", seconds=1, times=None)
        for _ in range(2):
            start(alice, app, sandbox)
            watch.streams.tend(besides=(), is_due=True)
            watch._sleep(0.05)
            wait_until(lambda: len(followers()) == 1, "the answer")
            watch._apply_arrivals()
            RequestLog.objects.update(closed_until=0)
        assert watch.streams.follows(first)
        assert len(followed(sandbox)) == 2

        sandbox.clear_faults()
        watch.streams._allowed_until = time.monotonic()  # two minutes later
        watch._sleep(0.05)
        watch.streams.tend(besides=(), is_due=True)
        watch_until(watch, lambda: len(sandbox.state["streams"]) == 2, "another stream")


# --- The lease, and the end -------------------------------------------------------------------------------------------
def test_a_poller_that_lost_its_lease_applies_nothing_more(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    run = start(alice, app, sandbox)
    sandbox.control("follow", look_seconds=0.05)

    with watching() as watch:
        watch_until(watch, lambda: bool(followed(sandbox)), "the stream")
        Lease.objects.update(until=Now() - timedelta(seconds=1))  # frozen for 12 s
        watch.renewed_at -= polling.LEASE_SECONDS
        assert leases.acquire(poller_wakeups.POLLER, "another", polling.LEASE_SECONDS)
        sandbox.control(f"runs/{run.remote_id}", status="completed")
        wait_until(lambda: not followers(), "the stream to tell the end")
        with pytest.raises(LeaseLost):
            watch.run(until=time.monotonic() + 60)

    assert not is_final(run)


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
