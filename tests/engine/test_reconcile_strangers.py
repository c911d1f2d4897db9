"""Other clients' runs: if the clocks show that a run started before our POST, we don't mistake it for ours."""

import time
from datetime import datetime, timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from runs.connection import status
from runs.models import App, LaminaStatus, Member, Run
from runs.sandbox.state import World
from tests.engine.steps import hand_over, look, start_as_stranger, starts
from tests.support.cartoonify import known_app, press
from tests.support.sandbox_door import SandboxDoor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_runs_go_on")]


def older_run(sandbox: SandboxDoor, world: World, seconds: float) -> str:
    """Start a run of the same app as another client, and backdate it by `seconds`."""
    run_id = start_as_stranger(sandbox)
    world.runs[run_id].created_at -= seconds
    return run_id


def doubtful(sandbox: SandboxDoor, member: Member, app: App, fault: str = "drop_before") -> Run:
    sandbox.control("faults", endpoint="run_start", fault=fault)
    run = hand_over(press(member, app))
    assert run.status == "checking"
    return run


def test_a_run_from_before_the_start_needs_a_person(
    alice: Member, app: App, sandbox: SandboxDoor, world: World, as_alice: Client
) -> None:
    older = older_run(sandbox, world, 30)
    run = doubtful(sandbox, alice, app)

    look(run)
    assert (run.status, run.empty_looks, run.remote_id) == ("checking", 1, "")  # ours may be listed late
    look(run)

    assert (run.status, run.due_at, run.candidates, run.remote_id) == ("checking", None, [older], "")
    assert "one run that could be this one" in as_alice.get(run.get_absolute_url()).content.decode()
    assert starts(sandbox) == 2  # the other client's start and ours


def test_one_from_before_and_one_from_after_are_several(
    alice: Member, app: App, sandbox: SandboxDoor, world: World
) -> None:
    older = older_run(sandbox, world, 30)
    run = doubtful(sandbox, alice, app, "drop_after")

    look(run)

    assert (run.due_at, run.remote_id, len(run.candidates), older in run.candidates) == (None, "", 2, True)


@pytest.mark.parametrize("seconds", [0, 3])
def test_what_the_clocks_cannot_tell_apart_is_adopted(
    alice: Member, app: App, sandbox: SandboxDoor, world: World, seconds: float
) -> None:
    run = doubtful(sandbox, alice, app, "drop_after")
    (ours,) = world.runs.values()
    ours.created_at -= seconds

    assert look(run).remote_id == ours.run_id


@pytest.mark.parametrize("hours", [3, -3])
def test_laminas_clock_may_be_off(
    alice: Member, sandbox: SandboxDoor, world: World, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    monkeypatch.setattr(world, "clock", lambda: time.time() + hours * 3600)
    app = known_app()
    older = older_run(sandbox, world, 30)
    sandbox.control("faults", endpoint="run_start", fault="drop_before")

    run = look(look(hand_over(press(alice, app))))

    assert (run.candidates, run.remote_id) == ([older], "")


def test_without_a_clock_the_only_one_is_adopted(alice: Member, app: App, sandbox: SandboxDoor, world: World) -> None:
    older = older_run(sandbox, world, 30)
    run = doubtful(sandbox, alice, app)
    # the clocks were compared only after the POST
    LaminaStatus.objects.update(clock_steady_since=timezone.now() + timedelta(hours=1))
    cache.clear()

    assert look(run).remote_id == older


def noted(at: datetime, ahead: float | None) -> LaminaStatus:
    status.record_answer(at, is_sandbox=True, is_key_refused=False, clock_ahead_seconds=ahead)
    return LaminaStatus.objects.get()


def test_clocks_are_known_while_they_keep_step() -> None:
    first = timezone.now()
    seconds = [first + timedelta(seconds=n) for n in range(30)]
    assert noted(seconds[0], 60.0).clock_steady_since == first
    assert noted(seconds[10], 58.5).clock_steady_since == first
    assert status.is_clock_known(seconds[5])
    assert not status.is_clock_known(first - timedelta(seconds=1))  # too early: before the first comparison
    assert not status.is_clock_known(seconds[11])  # too late: after the last comparison
    assert noted(seconds[11], -3600.0).clock_steady_since == seconds[11]  # a changed clock is noticed at once
    assert not status.is_clock_known(seconds[5])
    told_nothing = noted(seconds[20], None)
    assert (told_nothing.clock_steady_since, told_nothing.clock_ahead_seconds) == (None, -3600.0)
    assert noted(seconds[21], -3600.0).clock_steady_since == seconds[21]
