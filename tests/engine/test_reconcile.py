"""Starts without a clear response are found or sent again, and never paid for twice unless a person chooses to."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from runs.engine import reconcile, sweep
from runs.lamina import client
from runs.lamina.transport import Timeouts
from runs.models import App, Member, Run
from runs.sandbox.state import World
from tests.engine.steps import (
    CAPTION,
    CARTOONIFY,
    hand_over,
    look,
    make_due,
    other_app,
    press_words,
    seconds_ahead,
    start_as_stranger,
    starts,
    waits,
)
from tests.support.cartoonify import known_app, press
from tests.support.processes import wait_until
from tests.support.sandbox_door import SandboxDoor
from tests.support.work import queued, work

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_runs_go_on")]

STARTED: list[dict[str, Any]] = [
    {"fault": "drop_after"},
    {"fault": "truncated"},
    {"fault": "status", "status": 500, "acts": True},
    {"fault": "status", "status": 502, "acts": True},
    {"fault": "garbage", "acts": True},
    {"fault": "empty", "acts": True},
    {"fault": "html", "acts": True},
    {"fault": "status", "status": 202, "body": {"data": {"hello": 1}}, "acts": True},
]
NOT_STARTED: list[dict[str, Any]] = [
    {"fault": "drop_before"},
    {"fault": "status", "status": 500},
    {"fault": "status", "status": 502},
    {"fault": "status", "status": 503},
    {"fault": "status", "status": 408},
    {"fault": "garbage"},
    {"fault": "empty"},
    {"fault": "html"},
]


def names(fault: dict[str, Any]) -> str:
    return "-".join(str(value) for value in fault.values() if not isinstance(value, dict))


def doubtful(sandbox: SandboxDoor, member: Member, app: App, fault: str = "drop_before", **more: Any) -> Run:
    """Press Run and send the start; `fault` makes sure that its POST gets no clear response."""
    sandbox.control("faults", endpoint="run_start", fault=fault, **more)
    run = hand_over(press(member, app))
    assert run.status == "checking"
    return run


@pytest.mark.parametrize("fault", STARTED, ids=names)
def test_a_start_that_did_happen_is_found(alice: Member, app: App, sandbox: SandboxDoor, fault: dict[str, Any]) -> None:
    run = doubtful(sandbox, alice, app, **fault)

    look(run)

    assert (run.remote_id, run.is_active) == (sandbox.runs[0]["runId"], True)
    assert run.status != "checking"
    assert starts(sandbox) == 1


@pytest.mark.parametrize("fault", NOT_STARTED, ids=names)
def test_a_start_that_did_not_happen_is_sent_again_once(
    alice: Member, app: App, sandbox: SandboxDoor, fault: dict[str, Any]
) -> None:
    run = doubtful(sandbox, alice, app, **fault)

    look(run)
    assert (run.status, run.empty_looks) == ("checking", 1)
    assert waits(run, 20)
    look(run)
    assert run.status == "starting"
    assert starts(sandbox) == 1
    hand_over(run)

    assert run.remote_id == sandbox.runs[0]["runId"]
    assert (starts(sandbox), len(sandbox.runs)) == (2, 1)


def test_no_answer_in_time_is_no_answer(
    alice: Member, app: App, sandbox: SandboxDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "START", Timeouts(read=0.3, total=0.5))
    run = doubtful(sandbox, alice, app, "delay", seconds=600)
    monkeypatch.undo()
    assert sandbox.runs == []
    look(run)
    assert run.status == "checking"
    sandbox.end_delays()
    wait_until(lambda: sandbox.runs, "the late start")

    look(run)

    assert run.remote_id == sandbox.runs[0]["runId"]
    assert starts(sandbox) == 1


def test_an_early_look_requests_nothing(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    run = look(doubtful(sandbox, alice, app))

    reconcile.check_run(run.pk)

    run.refresh_from_db()
    assert (run.status, run.empty_looks, len(sandbox.requests_to("runs"))) == ("checking", 1, 1)


def test_a_lost_look_is_repeated(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    from django_q.models import OrmQ

    run = doubtful(sandbox, alice, app, "drop_after")
    OrmQ.objects.all().delete()  # the task died with its worker
    make_due(run)

    sweep.sweep()
    (task,) = queued()

    assert (task["func"], task["args"]) == ("runs.tasks.check_run", (run.pk,))


@pytest.mark.parametrize("button", ["run-again", "run-leave"])
def test_a_person_decides_between_several_candidates(
    alice: Member, app: App, sandbox: SandboxDoor, as_alice: Client, button: str
) -> None:
    run = doubtful(sandbox, alice, app, "drop_after")
    start_as_stranger(sandbox)

    look(run)

    assert (run.status, run.due_at, len(run.candidates)) == ("checking", None, 2)
    page = as_alice.get(run.get_absolute_url()).content.decode()
    assert 'id="run-again"' in page
    assert 'id="run-leave"' in page
    assert "starting again could mean you're charged twice" in page
    assert not Run.objects.needing_poller().exists()
    as_alice.post(f"{run.get_absolute_url()}{'start-again' if button == 'run-again' else 'leave'}/")
    run.refresh_from_db()
    if button == "run-again":
        assert run.status == "starting"
        hand_over(run)
        assert run.remote_id == sandbox.runs[-1]["runId"]
        assert starts(sandbox) == 3
    else:
        assert (run.status, run.failure) == ("failed", "left")
        assert starts(sandbox) == 2
    assert b'id="run-again"' not in as_alice.get(run.get_absolute_url()).content


def test_without_access_to_the_list_a_person_is_asked(
    alice: Member, app: App, sandbox: SandboxDoor, as_alice: Client
) -> None:
    run = doubtful(sandbox, alice, app, "drop_after")
    sandbox.control("faults", endpoint="runs", fault="status", status=403)

    look(run)

    assert (run.status, run.due_at, run.candidates) == ("checking", None, [])
    assert b"tell from Lamina&#x27;s list of runs" in as_alice.get(run.get_absolute_url()).content


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "status", "status": 500},
        {"fault": "status", "status": 401},
        {"fault": "drop_before"},
        {"fault": "garbage"},
        {"fault": "empty"},
        {"fault": "truncated"},
        {"fault": "plain_429", "seconds": 1},
        {"fault": "status", "status": 200, "body": {"data": {}}},
    ],
    ids=names,
)
def test_a_list_that_cannot_be_read_now_is_read_later(
    alice: Member, app: App, sandbox: SandboxDoor, fault: dict[str, Any]
) -> None:
    from runs.models import RequestWindow

    run = doubtful(sandbox, alice, app, "drop_after")
    sandbox.control("faults", endpoint="runs", times=2, **fault)

    for _ in range(2):
        look(run)
        assert (run.status, run.empty_looks) == ("checking", 0)
        assert seconds_ahead(run) > 0
        RequestWindow.objects.update(closed_until=0)
    look(run)

    assert run.remote_id == sandbox.runs[0]["runId"]
    assert starts(sandbox) == 1


def row(run_id: str | None, app_id: str = CARTOONIFY) -> dict[str, Any]:
    """Return a row like those in Lamina's run list, for a run that has just started."""
    now = datetime.now(UTC).isoformat()
    return {"runId": run_id, "workflowId": app_id, "status": "running", "createdAt": now}


@pytest.mark.parametrize("is_cut_off", [True, False], ids=["longer than we read", "with an unreadable row"])
def test_a_list_that_we_cannot_read_to_the_end_proves_nothing(
    alice: Member, app: App, sandbox: SandboxDoor, is_cut_off: bool
) -> None:
    run = doubtful(sandbox, alice, app, "drop_after")
    rows = [row(f"other-{n}", CAPTION) for n in range(100)] if is_cut_off else [row("other", CAPTION), row(None)]
    sandbox.control("faults", endpoint="runs", fault="status", status=200, body={"data": rows}, times=None)

    for _ in range(3):
        look(run)
        assert (run.status, run.empty_looks) == ("checking", 0)
        assert waits(run, 20)
    sandbox.clear_faults()
    look(run)

    assert run.remote_id == sandbox.runs[0]["runId"]
    assert starts(sandbox) == 1


@pytest.mark.parametrize("candidates", [[], ["another"]])
def test_if_the_list_stays_unreadable_a_person_decides(
    alice: Member, app: App, sandbox: SandboxDoor, as_alice: Client, candidates: list[str]
) -> None:
    run = doubtful(sandbox, alice, app, "drop_after")
    rows = [*(row(candidate) for candidate in candidates), row("other", CAPTION), row(None)]
    sandbox.control("faults", endpoint="runs", fault="status", status=200, body={"data": rows}, times=None)
    assert look(run).due_at is not None

    Run.objects.filter(pk=run.pk).update(sent_at=timezone.now() - reconcile.UNCLEAR_FOR)
    look(run)

    assert (run.status, run.due_at, run.candidates) == ("checking", None, candidates)
    assert 'id="run-again"' in as_alice.get(run.get_absolute_url()).content.decode()
    assert starts(sandbox) == 1


@pytest.mark.parametrize("fault", [{"fault": "garbage"}, {"fault": "status", "status": 200, "body": {"data": [{}]}}])
def test_if_nothing_of_the_list_can_be_read_for_ten_minutes_a_person_decides(
    alice: Member, app: App, sandbox: SandboxDoor, as_alice: Client, fault: dict[str, Any]
) -> None:
    run = doubtful(sandbox, alice, app, "drop_after")
    sandbox.control("faults", endpoint="runs", times=None, **fault)
    Run.objects.filter(pk=run.pk).update(sent_at=timezone.now() - reconcile.UNCLEAR_FOR)
    assert look(run).due_at is not None

    Run.objects.filter(pk=run.pk).update(sent_at=timezone.now() - reconcile.UNREADABLE_FOR)
    look(run)

    assert (run.status, run.due_at, run.candidates) == ("checking", None, [])
    assert 'id="run-again"' in as_alice.get(run.get_absolute_url()).content.decode()
    assert starts(sandbox) == 1


def test_an_outage_of_lamina_is_waited_for(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    run = doubtful(sandbox, alice, app, "drop_after")
    sandbox.control("faults", endpoint="runs", fault="status", status=500, times=None)
    Run.objects.filter(pk=run.pk).update(sent_at=timezone.now() - reconcile.UNREADABLE_FOR)

    look(run)

    assert (run.status, seconds_ahead(run) > 0) == ("checking", True)


def test_strangers_runs_are_never_adopted(alice: Member, app: App, sandbox: SandboxDoor, world: World) -> None:
    older = start_as_stranger(sandbox)
    world.runs[older].created_at -= 120
    other = start_as_stranger(sandbox, CAPTION)
    run = doubtful(sandbox, alice, app)

    look(run)
    assert (run.status, run.empty_looks) == ("checking", 1)
    # This list is the same whichever filters are requested.
    now, hour_ago = datetime.now(UTC), datetime.now(UTC) - timedelta(hours=1)
    rows = [
        {"runId": other, "workflowId": CAPTION, "status": "running", "createdAt": now.isoformat()},
        {"runId": older, "workflowId": CARTOONIFY, "status": "running", "createdAt": hour_ago.isoformat()},
    ]
    sandbox.control("faults", endpoint="runs", fault="status", status=200, body={"data": rows, "pagination": {}})
    look(run)

    assert (run.status, run.remote_id) == ("starting", "")


def test_our_own_runs_are_not_found_again(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    first = hand_over(press(alice, app))
    run = doubtful(sandbox, alice, app)

    look(run)
    look(run)

    assert run.status == "starting"
    assert first.remote_id == sandbox.runs[0]["runId"]


@pytest.mark.parametrize("hours", [3, -3])
def test_laminas_clock_may_be_hours_off(
    alice: Member, sandbox: SandboxDoor, world: World, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    monkeypatch.setattr(world, "clock", lambda: time.time() + hours * 3600)
    app = known_app()
    older = start_as_stranger(sandbox)
    world.runs[older].created_at -= 120
    sandbox.control("faults", endpoint="run_start", fault="drop_after")
    run = hand_over(press(alice, app))

    look(run)

    assert run.remote_id == sandbox.runs[1]["runId"]
    assert starts(sandbox) == 2


def test_starts_of_the_same_app_wait_meanwhile_and_others_do_not(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    run = doubtful(sandbox, alice, app, "drop_after")
    second = hand_over(press(alice, app))
    other = other_app()
    elsewhere = hand_over(press_words(alice, other))

    assert (second.status, second.wait, second.sent_at) == ("starting", "app", None)
    assert elsewhere.remote_id
    look(run)
    make_due(second)
    hand_over(second)

    assert {run.remote_id, second.remote_id, elsewhere.remote_id} == {r["runId"] for r in sandbox.runs}
    assert starts(sandbox) == 3


def test_a_found_run_is_watched_to_its_end(alice: Member, app: App, sandbox: SandboxDoor, settings: Settings) -> None:
    sandbox.control("reset")
    settings.LAMINA_POLL_SECONDS = 0.3
    look(doubtful(sandbox, alice, app, "drop_after"))

    work()

    run = Run.objects.get()
    assert (run.status, run.outputs_ready, run.failure_text.quote) == ("completed", 2, "")
    assert starts(sandbox) == 1
