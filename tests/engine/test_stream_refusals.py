"""When Lamina refuses to let the portal follow runs live: how the portal finds out, reports it, and tries again."""

import html
import time
from datetime import timedelta
from functools import partial

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from runs.connection import rate_limit, status
from runs.engine import stream_refusals, streams
from runs.lamina import streams as lamina_streams
from runs.models import App, LaminaStatus, Lease, Member, RequestWindow, Run
from runs.models.ids import new_public_id
from tests.engine.steps import start
from tests.engine.watch_steps import followed, followers, is_final, watch_until, watching
from tests.support.factories import make_run
from tests.support.processes import wait_until
from tests.support.sandbox_door import SandboxDoor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_quick_streams")]


def refusal() -> str:
    return LaminaStatus.objects.get().streams_refusal


def health(client: Client) -> str:
    return html.unescape(client.get(reverse("runs:manage")).content.decode())


def half_a_minute_later() -> None:
    Lease.objects.filter(name=stream_refusals.COUNTED).update(until=Now() - timedelta(seconds=1))


WHY = {
    "forbidden": "Lamina doesn't allow live updates with this workspace key.",
    "missing": "Lamina doesn't offer live updates, but responds to other requests for the same run.",
    "broken": "Three times in a row, no usable live updates arrived, but Lamina responds to other requests",
}


@pytest.mark.parametrize(
    ("code", "tries", "cause"), [(403, 1, "forbidden"), (404, 1, "missing"), (405, 1, "missing"), (500, 3, "broken")]
)
def test_a_refusal_is_remembered_for_a_day_and_told(
    alice: Member, app: App, sandbox: SandboxDoor, as_admin: Client, code: int, tries: int, cause: str
) -> None:
    assert "on, for up to 40 runs at a time" in health(as_admin)
    sandbox.control("faults", endpoint="stream", fault="status", status=code, times=None)

    def is_answered(times: int) -> bool:
        return len(followed(sandbox)) == times and not followers()

    with watching() as watch:
        for before in range(tries):
            assert refusal() == "", before
            half_a_minute_later()
            run = start(alice, app, sandbox)
            watch_until(watch, partial(is_answered, before + 1), "the answer")
            watch._apply_arrivals()
        assert refusal() == cause
        start(alice, app, sandbox)
        watch.round()
        assert len(followed(sandbox)) == tries
        sandbox.control(f"runs/{run.remote_id}", status="completed")
        watch_until(watch, lambda: is_final(run), "the end")
    page = health(as_admin)
    assert "the portal reads Lamina's run list instead" in page
    assert [cause for cause, words in WHY.items() if words in page] == [cause]

    sandbox.clear_faults()
    status.record_status(streams_refused_at=timezone.now() - stream_refusals.REFUSED_FOR)
    with watching() as watch:
        watch_until(watch, lambda: refusal() == "", "streams to work again")
    assert "on, for up to 40 runs at a time" in health(as_admin)


def test_streams_that_fail_at_the_same_time_are_no_refusal(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    sandbox.control("faults", endpoint="stream", fault="status", status=502, times=streams.PROBES)
    for _ in range(streams.PROBES):
        start(alice, app, sandbox)

    with watching() as watch:
        watch.streams.tend(besides=(), is_due=True)
        wait_until(lambda: len(followed(sandbox)) == streams.PROBES and not followers(), "the answers")
        watch._apply_arrivals()

    assert (refusal(), LaminaStatus.objects.get().stream_failures) == ("", 1)
    assert len(sandbox.requests_to("run")) <= 1


def test_streams_that_fall_silent_together_cost_one_request(
    alice: Member, app: App, sandbox: SandboxDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.control("faults", endpoint="stream", fault="silence", after=0, times=None)
    for _ in range(6):
        start(alice, app, sandbox)
    status.record_status(stream_failures=stream_refusals.FAILURES - 1)

    with watching() as watch:
        watch.streams._is_proven = True
        watch.streams.tend(besides=(), is_due=True)
        wait_until(lambda: len(followed(sandbox)) == 6, "the streams")
        watch._apply_arrivals()
        monkeypatch.setattr(lamina_streams, "SILENT_SECONDS", -1.0)
        watch.streams.tend(besides=(), is_due=True)

    assert refusal() == "broken"
    assert len(sandbox.requests_to("run")) == 1


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
        # Only each stream's first update counts, and the third stream may have sent its first one before the others
        # failed.
        start(alice, app, sandbox)
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
    """Lamina allows only one stream and refuses the next one with a 429, so the poller doesn't try a third one for two
    minutes."""
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
            RequestWindow.objects.update(closed_until=0)
        assert watch.streams.follows(first)
        assert len(followed(sandbox)) == 2

        sandbox.clear_faults()
        watch.streams._allowed_until = time.monotonic()  # as if two minutes had passed
        watch._sleep(0.05)
        watch.streams.tend(besides=(), is_due=True)
        watch_until(watch, lambda: len(sandbox.state["streams"]) == 2, "another stream")


def test_after_too_many_streams_one_more_is_tried_at_a_time(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    start(alice, app, sandbox)
    with watching() as watch:
        watch_until(watch, lambda: bool(sandbox.state["streams"]), "the first stream")
        sandbox.control("faults", endpoint="stream", fault="plain_429", seconds=1, times=None)
        for _ in range(3):
            start(alice, app, sandbox)

        def try_more() -> int:
            """Let the poller open as many streams as it wants; return how many seconds it then waits."""
            watch.streams._allowed_until = time.monotonic()
            watch.streams.tend(besides=(), is_due=True)
            wait_until(lambda: len(followers()) == 1, "the answers")
            watch._apply_arrivals()
            RequestWindow.objects.update(closed_until=0)
            watch.streams._again_at.clear()  # as if a minute had passed
            return 10 * round((watch.streams._allowed_until - time.monotonic()) / 10)

        assert (try_more(), len(followed(sandbox))) == (120, 4)
        assert (try_more(), len(followed(sandbox))) == (240, 5)
        assert (try_more(), len(followed(sandbox))) == (480, 6)

        sandbox.clear_faults()
        watch.streams._allowed_until = time.monotonic()
        watch.streams.tend(besides=(), is_due=True)
        assert len(followers()) == 2
        watch_until(watch, lambda: len(sandbox.state["streams"]) == 4, "all streams")


@pytest.mark.parametrize(("left", "is_closed"), [("5", False), ("0", True), ("", True)])
def test_a_stream_too_many_holds_up_nothing_else(
    alice: Member, app: App, sandbox: SandboxDoor, left: str, *, is_closed: bool
) -> None:
    headers = {"RateLimit-Remaining": left}
    sandbox.control("faults", endpoint="stream", fault="plain_429", seconds=100, times=None, headers=headers)
    start(alice, app, sandbox)

    with watching() as watch:
        watch.streams.tend(besides=(), is_due=True)
        wait_until(lambda: len(followed(sandbox)) == 1 and not followers(), "the answer")
        watch._apply_arrivals()

    assert (rate_limit.closed_seconds() > 0) == is_closed
