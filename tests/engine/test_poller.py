"""How the poller copes when it freezes or is replaced, when Lamina refuses its requests, and when its request budget is
nearly used up."""

import time
from contextlib import suppress
from datetime import timedelta

import pytest
import requests
from django.db.models.functions import Now
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django import Settings

from runs.background import leases
from runs.connection import rate_limit
from runs.connection.rate_limit import RateLimitWait
from runs.engine import cancel, poller_wakeups, polling, submit
from runs.engine.polling import LeaseLost, Watch
from runs.lamina.errors import LaminaRateLimited, LaminaUnavailable
from runs.models import App, Lease, Member, RequestWindow, Run
from tests.engine.steps import KEY, begin, hand_over, start, start_as_stranger, watch_once
from tests.support.cartoonify import press
from tests.support.factories import make_run
from tests.support.processes import wait_until
from tests.support.sandbox_door import SandboxDoor
from tests.support.work import queued, work

pytestmark = pytest.mark.django_db(transaction=True)


def end_lease() -> None:
    """Make the lease expire."""
    Lease.objects.filter(name=poller_wakeups.POLLER).update(until=Now() - timedelta(seconds=1))


def many(member: Member, app: App, sandbox: SandboxDoor, count: int) -> list[Run]:
    """Make `count` runs, both on Lamina and in the portal, that started a minute ago; return the least recently checked
    run first."""
    sandbox.control("limit", per_minute=None)
    sandbox.control("script", appId=None, times=count, outcome="never", seconds=0)
    now = timezone.now()
    return [
        make_run(
            member,
            app,
            remote_id=start_as_stranger(sandbox),
            started_at=now - timedelta(minutes=1),
            seen_at=now - timedelta(seconds=count - n),
        )
        for n in range(count)
    ]


# --- The lease --------------------------------------------------------------------------------------------------------
def test_a_frozen_poller_is_replaced_and_does_nothing_when_it_wakes(
    alice: Member, app: App, sandbox: SandboxDoor
) -> None:
    run = start(alice, app, sandbox)
    frozen = Watch(leases.new_holder())
    assert leases.acquire(poller_wakeups.POLLER, frozen.holder, polling.LEASE_SECONDS)
    frozen.round()
    end_lease()  # as if the poller hadn't renewed it for 12 s
    sandbox.control(f"runs/{run.remote_id}", status="completed")
    reads = len(sandbox.requests_to("runs"))

    watch_once()
    run.refresh_from_db()
    assert run.status == "completed"
    second = start(alice, app, sandbox)
    with pytest.raises(LeaseLost):
        frozen.run(until=time.monotonic() + 60)

    assert len(sandbox.requests_to("runs")) == reads + 1
    second.refresh_from_db()
    assert second.status == "queued"


def test_a_lease_lost_during_a_read_ends_the_round(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    """The lease is lost while the list is being read: no further request is sent, and nothing is written twice."""
    run = start(alice, app, sandbox)
    sandbox.control(f"runs/{run.remote_id}", status="completed")
    sandbox.control("faults", endpoint="runs", fault="delay", seconds=600)
    before = rate_limit.used()
    poller = begin(polling.poll_window)
    wait_until(lambda: leases.is_held(poller_wakeups.POLLER), "the poller to begin")
    wait_until(lambda: rate_limit.used() > before, "the list to be requested")
    end_lease()
    assert leases.acquire(poller_wakeups.POLLER, "another", polling.LEASE_SECONDS)
    sandbox.clear_faults()
    poller.join()

    run.refresh_from_db()
    assert run.is_active
    assert sandbox.requests_to("run") == []
    assert (
        Lease.objects.get(name=poller_wakeups.POLLER).holder == "another"
    )  # and the poller didn't release a lease it no longer held


def test_a_dead_poller_is_replaced_when_somebody_looks(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    start(alice, app, sandbox)
    OrmQ.objects.all().delete()
    leases.acquire(poller_wakeups.POLLER, "killed", polling.LEASE_SECONDS)
    poller_wakeups.ensure_poller()
    assert not OrmQ.objects.exists()
    end_lease()
    Lease.objects.update(kicked_at=None)

    poller_wakeups.ensure_poller_if_needed()

    assert [task["func"] for task in queued()] == ["runs.tasks.poll"]


def test_a_new_run_wakes_the_poller_even_if_one_has_just_found_nothing(
    alice: Member, app: App, sandbox: SandboxDoor
) -> None:
    """A page that is open wakes the poller at most every three seconds; a press or an accepted run must not wait."""
    poller_wakeups.ensure_poller()
    work()  # the poller finds nothing to watch, and ends
    run = press(alice, app)
    assert "poll" in names()
    OrmQ.objects.all().delete()
    submit.submit_run(run.pk)
    assert names() == ["poll"]  # Lamina's acceptance wakes it again


def names() -> list[str]:
    """Return the names of the queued tasks."""
    return [one["func"].rpartition(".")[2] for one in queued()]


# --- Pages of the list ------------------------------------------------------------------------------------------------
def test_runs_beyond_the_newest_page_are_watched_page_by_page(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    sandbox.control("limit", per_minute=None)
    old = many(alice, app, sandbox, 3)
    ended, alive, _ = old
    sandbox.control("script", appId=None, times=None, outcome="never", seconds=0)
    for _ in range(205):  # other clients of the workspace start these runs
        start_as_stranger(sandbox)
    sandbox.control(f"runs/{ended.remote_id}", status="completed")
    began = timezone.now()

    watch_once()

    pages = [r["path"] for r in sandbox.requests_to("runs")]
    assert len(pages) == 1 + 3 + 1  # pages of the newest, the running and the queued runs
    assert [r["runId"] for r in sandbox.requests_to("run")] == [ended.remote_id]
    assert {run.status for run in Run.objects.exclude(pk=ended.pk)} == {"running"}
    assert Run.objects.get(pk=ended.pk).status == "completed"
    assert Run.objects.get(pk=alive.pk).seen_at >= began  # type: ignore[operator]


def test_hidden_runs_are_read_in_order_of_their_last_news(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    runs = many(alice, app, sandbox, 6)
    order = [runs[n] for n in (3, 0, 5, 1, 4, 2)]
    for place, run in enumerate(order):
        Run.objects.filter(pk=run.pk).update(seen_at=timezone.now() - timedelta(minutes=9 - place))
    sandbox.control("faults", endpoint="runs", fault="status", status=403, times=None)
    leave_room_for(2)

    watch = Watch(leases.new_holder())
    assert leases.acquire(poller_wakeups.POLLER, watch.holder, polling.LEASE_SECONDS)
    with pytest.raises(rate_limit.RateLimitWait):
        watch.round()
    asked = [r["runId"] for r in sandbox.requests_to("run")]
    assert asked == [run.remote_id for run in order[: len(asked)]]
    assert len(asked) == 2
    RequestWindow.objects.update(stamps=[])
    watch.round()

    asked = [r["runId"] for r in sandbox.requests_to("run")]
    assert asked[:6] == [run.remote_id for run in order]  # the poller began with the runs that it hadn't read before


def leave_room_for(count: int) -> None:
    """Use up the budget, leaving only enough for one read of the list and `count` reads by id."""
    limit = 100 - rate_limit.Priority.PARTIAL
    now = time.time()
    RequestWindow.objects.update_or_create(pk=rate_limit.ROW_ID, defaults={"stamps": [now] * (limit - count - 1)})


def test_starts_find_room_while_every_run_is_read_by_id(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    many(alice, app, sandbox, 120)
    sandbox.control("faults", endpoint="runs", fault="status", status=403, times=None)
    RequestWindow.objects.all().delete()

    with pytest.raises(rate_limit.RateLimitWait):
        watch_once()

    assert rate_limit.used() <= 76
    assert hand_over(press(alice, app)).remote_id


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "status", "status": 500},
        {"fault": "status", "status": 403},
        {"fault": "truncated"},
        {"fault": "drop_before"},
    ],
)
def test_one_broken_run_does_not_delay_the_others(
    alice: Member, app: App, sandbox: SandboxDoor, fault: dict[str, object]
) -> None:
    sick, well = start(alice, app, sandbox), start(alice, app, sandbox)
    for run in (sick, well):
        sandbox.control(f"runs/{run.remote_id}", status="completed")
    sandbox.control("faults", endpoint="run", times=None, runId=sick.remote_id, **fault)
    watch = Watch(leases.new_holder())
    assert leases.acquire(poller_wakeups.POLLER, watch.holder, polling.LEASE_SECONDS)

    pauses = [watch.round() for _ in range(3)]

    well.refresh_from_db()
    assert well.status == "completed"
    assert max(pause or 0.0 for pause in pauses) < 5
    # After this, the poller skips the run for a while.
    assert len([r for r in sandbox.requests_to("run") if r["runId"] == sick.remote_id]) == 1
    sandbox.clear_faults()
    watch.again_at.clear()
    watch.round()
    sick.refresh_from_db()
    assert sick.status == "completed"


def test_runs_without_a_response_come_last_even_when_their_pause_is_over(
    alice: Member, app: App, sandbox: SandboxDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "BACK_OFF_MAX_SECONDS", 0.0)
    *sick, well = (start(alice, app, sandbox) for _ in range(4))
    for run in (*sick, well):
        sandbox.control(f"runs/{run.remote_id}", status="completed")
    for run in sick:
        sandbox.control("faults", endpoint="run", fault="drop_before", times=None, runId=run.remote_id)
    watch = Watch(leases.new_holder())
    assert leases.acquire(poller_wakeups.POLLER, watch.holder, polling.LEASE_SECONDS)

    with pytest.raises(LaminaUnavailable):
        watch.round()  # after two runs without a response, Lamina itself seems to be away
    assert len(sandbox.requests_to("run")) == 2
    watch.round()

    well.refresh_from_db()
    assert well.status == "completed"


@pytest.mark.parametrize(
    "fault", [{"fault": "status", "status": 500}, {"fault": "garbage"}, {"fault": "drop_before"}, {"fault": "empty"}]
)
def test_a_failing_list_is_retried_less_and_less_often(
    alice: Member, app: App, sandbox: SandboxDoor, monkeypatch: pytest.MonkeyPatch, fault: dict[str, object]
) -> None:
    run = start(alice, app, sandbox)
    sandbox.control(f"runs/{run.remote_id}", status="completed")
    sandbox.control("faults", endpoint="runs", times=None, **fault)
    watch = Watch(leases.new_holder())
    assert leases.acquire(poller_wakeups.POLLER, watch.holder, polling.LEASE_SECONDS)
    slept: list[float] = []
    monkeypatch.setattr(watch, "_sleep", slept.append)

    while len(slept) < 4:
        watch.run(until=time.monotonic() + 0.01)

    assert slept[0] <= slept[-1]
    assert slept[-1] > 5
    assert max(slept) <= polling.BACK_OFF_MAX_SECONDS
    sandbox.clear_faults()
    watch.round()
    run.refresh_from_db()
    assert run.status == "completed"


# --- The budget -------------------------------------------------------------------------------------------------------
def test_nothing_is_requested_while_lamina_says_wait(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    start(alice, app, sandbox)
    sandbox.control("faults", endpoint="runs", fault="plain_429", seconds=200)
    with pytest.raises(LaminaRateLimited):
        watch_once()
    asked = len(sandbox.state["requests"])

    with pytest.raises(rate_limit.RateLimitWait) as wait:
        watch_once()
    held = hand_over(press(alice, app))

    assert 100 < wait.value.seconds <= 200
    assert (held.status, held.wait) == ("starting", "budget")
    assert len(sandbox.state["requests"]) == asked
    RequestWindow.objects.update(closed_until=time.time())
    watch_once()
    assert len(sandbox.state["requests"]) == asked + 1


def test_other_clients_of_our_limit_are_counted(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    """Another client at our address uses up 60 of the 100 requests; the portal makes do with the rest, so it is never
    refused."""
    runs = [start(alice, app, sandbox) for _ in range(3)]
    for _ in range(60):
        requests.get(f"{sandbox.url}/v1/account", headers=KEY, timeout=60)

    asked = 0
    with suppress(rate_limit.RateLimitWait):
        for asked in range(100):  # noqa: B007
            watch_once()
    Run.objects.filter(pk=runs[0].pk).update(cancel_asked_at=timezone.now())
    cancel.send_cancel(runs[0].pk)  # still works, because more important requests have a reserve

    state = sandbox.state
    assert state["refused_429"] == 0
    assert 20 < asked < 40
    assert 90 <= state["in_last_minute"] <= 100
    assert state["runs"][0]["cancelled"]


def test_a_short_budget_goes_to_reads_of_runs_that_ended_not_to_the_same_pages_again(
    alice: Member, app: App, sandbox: SandboxDoor, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "PAGE", 1)
    for run in many(alice, app, sandbox, 5):
        sandbox.control(f"runs/{run.remote_id}", status="completed")
    RequestWindow.objects.all().delete()
    # One request is reserved for starts. The others read the newest runs, a run, the running runs, the queued runs, and
    # another run.
    settings.LAMINA_REQUESTS_PER_MINUTE = 6
    watch = Watch(leases.new_holder())
    assert leases.acquire(poller_wakeups.POLLER, watch.holder, polling.LEASE_SECONDS)
    with pytest.raises(RateLimitWait):
        watch.round()
    pages = len(sandbox.requests_to("runs"))
    settings.LAMINA_REQUESTS_PER_MINUTE += 2

    with pytest.raises(RateLimitWait):
        watch.round()

    assert len(sandbox.requests_to("runs")) == pages
    assert Run.objects.filter(status="completed").count() == 4
