"""The sweep queues wakeups for steps that are due, but doesn't repeat them endlessly while all workers are busy."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from django_q.models import OrmQ

from runs.background import cluster_names, heartbeats
from runs.engine import create_run, progress, sweep, wakeups
from runs.models import Member, Run
from runs.tasks import pulse
from tests.support import work
from tests.support.factories import make_app, make_run
from tests.support.processes import dead_pid

pytestmark = pytest.mark.django_db(transaction=True)

ROUND = timedelta(seconds=3)  # time between the poller's rounds
FEW = 8  # wakeups in ten minutes: after 0, 5, 10, 20, 40, 80, 160 and 320 seconds


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Stop the clock, so that it moves only when a test moves it."""
    with time_machine.travel(datetime.now(UTC), tick=False) as traveller:
        yield traveller


def queued() -> list[tuple[str, int]]:
    """Return the wakeups in the queue, oldest first."""
    return [(task["func"].removeprefix("runs.tasks."), *task["args"]) for task in work.queued() if task["args"]]


def lose_all() -> None:
    """Delete all queued tasks, as if the worker that took them had died."""
    OrmQ.objects.all().delete()


def sweep_for(minutes: int, clock: time_machine.Traveller) -> None:
    for _ in range(int(timedelta(minutes=minutes) / ROUND)):
        sweep.sweep()
        clock.shift(ROUND)


def press(member: Member) -> Run:
    app = make_app()
    assert app.schema is not None
    return create_run.launch_run(
        member, create_run.LaunchRequest(app, app.schema, [], [], create_run.new_form_token(member))
    )


def waiting(member: Member, status: str = "starting", **fields: Any) -> Run:
    """Make a run whose next step is due now and has no wakeup."""
    return make_run(member, make_app(), status=status, **({"due_at": timezone.now()} | fields))


def test_rounds_while_all_workers_are_busy_do_not_fill_the_queue(alice: Member, clock: time_machine.Traveller) -> None:
    runs = [waiting(alice) for _ in range(3)]

    sweep_for(10, clock)

    assert set(queued()) == {("submit_run", run.pk) for run in runs}
    assert len(queued()) <= 3 * FEW


def test_a_doubtful_start_that_nobody_looks_for_does_not_fill_it(alice: Member, clock: time_machine.Traveller) -> None:
    run = waiting(alice, "checking", sent_at=timezone.now())

    sweep_for(10, clock)

    assert set(queued()) == {("check_run", run.pk)}
    assert len(queued()) <= FEW


def test_a_cancel_that_nobody_sends_does_not_fill_it(alice: Member, clock: time_machine.Traveller) -> None:
    run = waiting(alice, "running", due_at=None)
    assert progress.ask_cancel(run, alice, timezone.now()) == "asked"

    sweep_for(10, clock)

    assert set(queued()) == {("cancel_run", run.pk)}
    assert len(queued()) <= FEW


def test_more_starts_than_one_sweep_wakes_all_get_wakeups(alice: Member, clock: time_machine.Traveller) -> None:
    for _ in range(sweep.AT_ONCE + 1):
        waiting(alice)

    sweep_for(1, clock)

    assert len(set(queued())) == sweep.AT_ONCE + 1


def test_a_lost_wakeup_at_most_doubles_the_wait(alice: Member, clock: time_machine.Traveller) -> None:
    run = press(alice)
    lose_all()

    clock.shift(wakeups.BELIEVED / 2)
    sweep.sweep()
    assert queued() == []  # the first wakeup may still be handled
    clock.shift(wakeups.BELIEVED / 2)
    sweep.sweep()
    assert queued() == [("submit_run", run.pk)]
    lose_all()
    clock.shift(wakeups.BELIEVED)
    sweep.sweep()

    assert queued() == [("submit_run", run.pk)]


def test_a_long_overdue_start_gets_another_wakeup_in_minutes(alice: Member, clock: time_machine.Traveller) -> None:
    run = waiting(alice, due_at=timezone.now() - timedelta(days=1))
    sweep.sweep()
    lose_all()

    clock.shift(wakeups.BELIEVED_LONGEST)
    sweep.sweep()

    assert queued() == [("submit_run", run.pk)]


def test_a_step_that_comes_due_gets_its_own_wakeup_at_once(alice: Member, clock: time_machine.Traveller) -> None:
    """The worker died while holding a claim on the run. When the claim ends, the run's next step gets a wakeup right
    away, even though the previous wakeup was recent."""
    run = waiting(alice)
    sweep.sweep()
    lose_all()
    assert progress.claim_start(run, timezone.now(), timezone.now() + timedelta(seconds=2))
    clock.shift(timedelta(seconds=1))
    sweep.sweep()
    assert queued() == []

    clock.shift(timedelta(seconds=1.1))
    sweep.sweep()

    assert queued() == [("submit_run", run.pk)]


def test_a_wakeup_from_a_clock_that_was_ahead_is_not_trusted(alice: Member) -> None:
    run = waiting(alice, rung_at=timezone.now() + timedelta(hours=2))

    sweep.sweep()

    assert queued() == [("submit_run", run.pk)]


@pytest.mark.parametrize("is_new", [True, False])
def test_wakeups_of_a_killed_cluster_are_queued_again(alice: Member, is_new: bool) -> None:
    """The wakeups are queued again either by the cluster that replaces the killed one or by another cluster that
    notices its death."""
    run = waiting(alice, due_at=timezone.now() - timedelta(minutes=5))
    heartbeats.beat_cluster("worker there:1")
    heartbeats.beat_cluster(cluster_names.name_of(dead_pid()) if not is_new else "worker there:1")
    sweep.sweep()
    lose_all()

    pulse("worker there:2" if is_new else "worker there:1")

    assert queued() == [("submit_run", run.pk)]


def test_a_pulse_that_finds_nothing_lost_queues_nothing(alice: Member) -> None:
    run = waiting(alice, due_at=timezone.now() - timedelta(minutes=5))

    pulse("worker there:1")
    pulse("worker there:1")

    assert queued() == [("submit_run", run.pk)]
