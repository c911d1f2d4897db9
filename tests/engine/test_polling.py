"""Following runs by reading the list: what the poller requests, how it treats responses, and when it stops."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from runs.background import leases
from runs.connection import rate_limit
from runs.engine import poller_wakeups, polling
from runs.engine.polling import Watch
from runs.engine.polling_schedule import SLOW_SECONDS
from runs.models import App, Member, Run
from tests.engine.steps import begin, start, watch_once
from tests.support.factories import make_run
from tests.support.processes import wait_until
from tests.support.sandbox_door import SandboxDoor
from tests.support.work import queued, work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def _real_pace(settings: Settings) -> None:
    """Poll at the same rate as in production, unlike in other tests."""
    settings.LAMINA_POLL_SECONDS = 3.0


def test_twenty_runs_cost_one_read_a_round(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    for _ in range(20):
        start(alice, app, sandbox)

    watch_once()

    assert len(sandbox.requests_to("runs")) == 1
    assert sandbox.requests_to("run") == []
    assert set(Run.objects.values_list("status", flat=True)) <= {"queued", "running"}


@pytest.mark.parametrize(
    ("told", "known"), [("completed", "completed"), ("failed", "failed"), ("cancelled", "cancelled")]
)
def test_every_end_is_noticed(alice: Member, app: App, sandbox: SandboxDoor, told: str, known: str) -> None:
    run = start(alice, app, sandbox)
    sandbox.control(f"runs/{run.remote_id}", status=told)

    watch_once()

    run.refresh_from_db()
    assert run.status == known
    assert run.finished_at is not None
    assert len(sandbox.requests_to("run")) == 1


def test_a_run_the_newest_page_hides_is_found(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    run = start(alice, app, sandbox)
    sandbox.control("faults", endpoint="runs", fault="status", status=200, times=1, body={"data": [], "pagination": {}})
    sandbox.control(f"runs/{run.remote_id}", status="completed")

    watch_once()

    run.refresh_from_db()
    assert run.status == "completed"


def test_an_unreadable_row_does_not_end_the_list(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    start(alice, app, sandbox)
    strangers = [{"runId": f"stranger-{n}", "status": "running"} for n in range(polling.PAGE - 1)]
    for rows in ([], [*strangers, {"status": "running"}], []):
        sandbox.control("faults", endpoint="runs", fault="status", status=200, times=1, body={"data": rows})

    watch_once()

    # One page of the newest runs, two pages of running runs, and one page of queued runs.
    assert len(sandbox.requests_to("runs")) == 1 + 2 + 1


def test_with_a_refused_list_runs_are_read_by_id(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    run = start(alice, app, sandbox)
    sandbox.control("faults", endpoint="runs", fault="status", status=403, times=None)
    sandbox.control(f"runs/{run.remote_id}", status="completed")

    watch_once()

    run.refresh_from_db()
    assert run.status == "completed"


def test_three_times_unknown_is_lost(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    run = start(alice, app, sandbox)
    Run.objects.filter(pk=run.pk).update(remote_id="no-such-run")

    for _ in range(5):  # while Lamina is being deployed, there may be this many such responses
        watch_once()
    run.refresh_from_db()
    assert (run.is_active, run.missing_reads) == (True, 1)
    for _ in range(2):
        assert Run.objects.get().is_active
        Run.objects.update(asked_at=timezone.now() - timedelta(seconds=31))
        watch_once()

    run.refresh_from_db()
    assert (run.status, run.failure) == ("failed", "lost")


def test_a_proxys_404_loses_no_run(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    run = start(alice, app, sandbox)
    Run.objects.update(missing_reads=2)
    for endpoint in ("run", "runs"):
        body = "404 page not found"
        sandbox.control("faults", endpoint=endpoint, fault="status", status=404, body=body, times=None)
    watch_once()

    assert sandbox.requests_to("run")
    run.refresh_from_db()
    assert (run.is_active, run.missing_reads) == (True, 2)


def test_a_run_that_is_there_again_is_not_lost(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    """For a while, Lamina says "no such run" about every run, as a proxy may do during a deployment."""
    run = start(alice, app, sandbox)
    sandbox.control("faults", endpoint="*", fault="status", status=404, times=None)
    for _ in range(6):
        watch_once()
    assert len(sandbox.requests_to("run")) <= 6
    sandbox.clear_faults()

    watch_once()
    sandbox.control(f"runs/{run.remote_id}", status="completed")
    watch_once()

    run.refresh_from_db()
    assert run.status == "completed"


def test_a_run_that_the_list_shows_again_gets_its_early_results(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    """Lamina said "no such run" once, perhaps from a copy of its database that was behind."""
    run = start(alice, app, sandbox)
    sandbox.control(f"runs/{run.remote_id}", status="running", ready=1)
    Run.objects.update(missing_reads=1, opened_at=timezone.now())

    watch_once()

    run.refresh_from_db()
    assert (run.missing_reads, run.outputs_ready) == (0, 1)


def test_a_run_is_not_lost_while_the_list_is_missing_too(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    """A gateway answers every request with "not found". This lasts longer than the portal would wait before giving up
    on a run that Lamina doesn't know."""
    run = start(alice, app, sandbox)
    sandbox.control(f"runs/{run.remote_id}", status="completed")
    sandbox.control("faults", endpoint="*", fault="status", status=404, times=None)
    for _ in range(5):
        watch_once()
        Run.objects.update(asked_at=timezone.now() - timedelta(seconds=31))
    run.refresh_from_db()
    assert (run.status, run.missing_reads) == ("queued", 1)
    sandbox.clear_faults()

    watch_once()

    run.refresh_from_db()
    assert (run.status, run.outputs_ready) == ("completed", 2)


def test_results_land_one_by_one_for_a_run_on_screen(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    run = start(alice, app, sandbox)
    sandbox.control(f"runs/{run.remote_id}", status="running", ready=1)

    watch_once()
    run.refresh_from_db()
    assert run.outputs_ready == 0
    Run.objects.filter(pk=run.pk).update(opened_at=timezone.now())
    watch_once()

    run.refresh_from_db()
    assert (run.status, run.outputs_ready) == ("running", 1)


def test_an_unknown_word_counts_as_running(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    run = start(alice, app, sandbox, outcome="unknown_status", seconds=600)

    watch_once()

    run.refresh_from_db()
    assert run.is_active


def test_an_idle_portal_requests_nothing(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    before = len(sandbox.state["requests"])

    assert watch_once() is None
    poller_wakeups.ensure_poller_if_needed()

    assert work() == []
    assert len(sandbox.state["requests"]) == before


@pytest.mark.usefixtures("_real_pace")
def test_old_runs_nobody_looks_at_are_read_less_often(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    run = start(alice, app, sandbox)
    assert watch_once() == 3.75

    Run.objects.filter(pk=run.pk).update(created_at=timezone.now() - timedelta(minutes=11))

    assert watch_once() == 15.0


@pytest.mark.parametrize("event", ["opened", "started"])
def test_the_long_pause_between_reads_of_old_runs_ends_early(
    alice: Member, app: App, sandbox: SandboxDoor, event: str
) -> None:
    start(alice, app, sandbox)
    Run.objects.update(created_at=timezone.now() - timedelta(minutes=11))
    poller = begin(polling.poll_window)
    try:
        wait_until(lambda: sandbox.requests_to("runs"), "the first read")
        if event == "opened":
            Run.objects.update(opened_at=timezone.now())
        else:
            start(alice, app, sandbox)
        wait_until(lambda: len(sandbox.requests_to("runs")) > 1, "the second read", seconds=SLOW_SECONDS / 2)
    finally:
        for run in Run.objects.all():
            sandbox.control(f"runs/{run.remote_id}", status="completed")
        poller.join()


@pytest.mark.usefixtures("_real_pace")
def test_a_run_on_a_screen_is_looked_at_every_three_seconds(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    run = start(alice, app, sandbox)
    Run.objects.filter(pk=run.pk).update(opened_at=timezone.now())

    assert watch_once() == 3.0


@pytest.mark.usefixtures("_real_pace")
def test_no_look_before_any_run_of_the_app_ever_ended(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    run, now = start(alice, app, sandbox), timezone.now()
    make_run(alice, app, status="completed", started_at=now - timedelta(seconds=100), finished_at=now)
    Run.objects.filter(pk=run.pk).update(started_at=now - timedelta(seconds=50))

    assert watch_once() == 3.0
    assert sandbox.requests_to("runs") == []
    Run.objects.filter(pk=run.pk).update(started_at=now - timedelta(seconds=61))
    watch_once()

    assert len(sandbox.requests_to("runs")) == 1


def test_a_run_on_a_screen_is_looked_at_however_young(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    run = start(alice, app, sandbox)
    Run.objects.filter(pk=run.pk).update(started_at=timezone.now(), opened_at=timezone.now())

    watch_once()

    assert len(sandbox.requests_to("runs")) == 1


def test_only_one_poller_at_a_time(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    start(alice, app, sandbox)
    assert leases.acquire(poller_wakeups.POLLER, "somebody", 12)

    polling.poll_window()

    assert sandbox.requests_to("runs") == []


def test_a_poller_that_lost_its_lease_requests_nothing_more(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    start(alice, app, sandbox)
    holder = leases.new_holder()
    leases.acquire(poller_wakeups.POLLER, holder, 12)
    leases.release(poller_wakeups.POLLER, holder)
    leases.acquire(poller_wakeups.POLLER, "somebody else", 12)

    with pytest.raises(polling.LeaseLost):
        Watch(holder).run(until=time.monotonic() + 60)

    assert sandbox.requests_to("runs") == []


def test_ensure_poller_queues_one_task(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    from django_q.models import OrmQ

    start(alice, app, sandbox)
    OrmQ.objects.all().delete()

    for _ in range(5):
        poller_wakeups.ensure_poller()

    assert OrmQ.objects.count() <= 1


def test_a_run_started_just_after_the_poller_ended_wakes_it(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    from django_q.models import OrmQ

    run = start(alice, app, sandbox)
    sandbox.control(f"runs/{run.remote_id}", status="completed")
    polling.poll_window()  # runs until it has seen the run's end
    OrmQ.objects.all().delete()

    start(alice, app, sandbox)

    assert "runs.tasks.poll" in [task["func"] for task in queued()]


def test_a_poller_without_work_is_not_woken_at_once() -> None:
    from django_q.models import OrmQ

    poller_wakeups.ensure_poller()
    polling.poll_window()
    OrmQ.objects.all().delete()

    poller_wakeups.ensure_poller()

    assert not OrmQ.objects.exists()


def test_the_budget_is_never_exceeded_by_many_threads() -> None:
    import threading

    from django.db import connection

    taken: list[float] = []

    def go() -> None:
        try:
            taken.extend(rate_limit.take(rate_limit.Priority.START) for _ in range(20))
        finally:
            connection.close()

    threads = [threading.Thread(target=go) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert taken.count(0.0) == 100
    assert rate_limit.used() == 100
    assert rate_limit.take(rate_limit.Priority.START) > 0


def test_less_important_requests_leave_room() -> None:
    catalog_calls = [rate_limit.take(rate_limit.Priority.CATALOG) for _ in range(100)]

    assert catalog_calls.count(0.0) == 50
    assert rate_limit.take(rate_limit.Priority.START) == 0.0


def test_a_closed_budget_opens_again_by_itself() -> None:
    rate_limit.close(300)

    wait = rate_limit.take(rate_limit.Priority.START)

    assert 0 < wait <= 300
