"""Starts that have to wait, workers that die, and several workers on one start: only one call is made, or it is clear
why the start is waiting."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django import Settings

from runs.connection import rate_limit
from runs.engine import progress, reconcile, start_claim, submit, sweep
from runs.models import App, Member, RequestWindow, Run
from runs.words.run_states import WAITS
from tests.engine.steps import (
    at_once,
    begin,
    hand_over,
    look,
    make_due,
    seconds_ahead,
    start_as_stranger,
    starts,
    waits,
)
from tests.support.cartoonify import press
from tests.support.processes import free_port, wait_until
from tests.support.sandbox_door import SandboxDoor
from tests.support.work import queued

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_runs_go_on")]


def shown(client: Client, run: Run) -> str:
    return client.get(run.get_absolute_url()).content.decode().replace("&#x27;", "'")


def swept(run: Run) -> Run:
    """Make the run due, let the sweep wake a worker, and let the worker take the run."""
    OrmQ.objects.all().delete()
    make_due(run)
    sweep.sweep()
    assert (run.pk,) in [task["args"] for task in queued()]  # other tasks may be due, too
    return hand_over(run)


# --- Waiting ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        ({"fault": "plain_429", "seconds": 200}, 200),
        ({"fault": "plain_429"}, 60),
        ({"fault": "status", "status": 429, "seconds": 300}, 300),
    ],
)
def test_told_to_wait(
    alice: Member, app: App, sandbox: SandboxDoor, as_alice: Client, fault: dict[str, Any], seconds: int
) -> None:
    sandbox.control("limit", per_minute=None)  # with a limit, response headers would say when to try again
    sandbox.control("faults", endpoint="run_start", **fault)

    run = hand_over(press(alice, app))

    assert (run.status, run.wait, run.sent_at) == ("starting", "rate", None)
    assert waits(run, seconds)
    assert str(WAITS[Run.Wait.RATE]) in shown(as_alice, run)
    assert "Next attempt in" in shown(as_alice, run)
    assert rate_limit.take(rate_limit.Priority.START) > 0  # no other request is sent in the meantime
    RequestWindow.objects.update(closed_until=0)
    assert swept(run).remote_id
    assert len(sandbox.runs) == 1


@pytest.mark.parametrize("address", ["http://127.0.0.1:{port}", "http://lamina.invalid"])
def test_nobody_there(
    alice: Member, app: App, sandbox: SandboxDoor, settings: Settings, as_alice: Client, address: str
) -> None:
    settings.LAMINA_BASE_URL = address.format(port=free_port())

    run = hand_over(press(alice, app))

    assert (run.status, run.wait, run.sent_at) == ("starting", "lamina", None)
    assert waits(run, 3)
    assert str(WAITS[Run.Wait.LAMINA]) in shown(as_alice, run)
    for _ in range(5):
        swept(run)
    assert waits(run, 60)  # the waits get longer with each attempt
    settings.LAMINA_BASE_URL = sandbox.url
    assert swept(run).remote_id
    assert starts(sandbox) == 1


def test_the_budget_is_used_up(alice: Member, app: App, sandbox: SandboxDoor, as_alice: Client) -> None:
    while not rate_limit.take(rate_limit.Priority.START):
        pass

    run = hand_over(press(alice, app))

    assert (run.status, run.wait, run.sent_at) == ("starting", "budget", None)
    assert 0 < seconds_ahead(run) <= rate_limit.WINDOW_SECONDS
    assert str(WAITS[Run.Wait.BUDGET]) in shown(as_alice, run)
    assert starts(sandbox) == 0
    RequestWindow.objects.update(stamps=[])
    assert swept(run).remote_id
    assert starts(sandbox) == 1


# --- Workers that die -------------------------------------------------------------------------------------------------
def test_a_worker_died_before_it_sent(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    run = press(alice, app)
    assert progress.claim_start(run, timezone.now(), timezone.now() + start_claim.CLAIM)
    hand_over(run)
    assert starts(sandbox) == 0  # a claim stays valid for as long as its worker might be alive

    assert swept(run).remote_id

    assert starts(sandbox) == 1


def test_a_worker_died_after_it_sent(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    run = press(alice, app)
    assert progress.claim_start(run, timezone.now(), timezone.now() + start_claim.CLAIM)
    assert progress.mark_sent(run, timezone.now() - reconcile.MAY_START, is_alone=True)
    OrmQ.objects.all().delete()
    sweep.sweep()
    assert not OrmQ.objects.exists()  # the worker that sent the start may still be busy with it
    make_due(run)

    sweep.sweep()

    run.refresh_from_db()
    assert run.status == "checking"
    assert [task["func"] for task in queued()] == ["runs.tasks.check_run"]
    assert starts(sandbox) == 0
    look(run)
    look(run)
    assert hand_over(run).remote_id
    assert starts(sandbox) == 1


def test_a_start_that_lamina_lists_late_is_found(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    """The worker was killed right after the POST. Lamina may still be processing that request, so a check that finds
    nothing doesn't count."""
    run = press(alice, app)
    assert progress.claim_start(run, timezone.now(), timezone.now() + start_claim.CLAIM)
    assert progress.mark_sent(run, timezone.now() - reconcile.MAY_START + timedelta(seconds=20), is_alone=True)
    make_due(run)
    sweep.sweep()

    for _ in range(2):
        look(run)
        assert (run.status, run.empty_looks) == ("checking", 0)
        assert waits(run, 20)
    its_id = start_as_stranger(sandbox)
    look(run)

    assert run.remote_id == its_id
    assert starts(sandbox) == 1


def test_a_slow_answer_is_waited_for(
    alice: Member, app: App, sandbox: SandboxDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the worker is alive and waiting, it keeps extending its claim."""
    monkeypatch.setattr(start_claim, "RENEW_SECONDS", 0.1)
    sandbox.control("faults", endpoint="run_start", fault="delay", seconds=600)
    run = press(alice, app)
    worker = begin(lambda: submit.submit_run(run.pk))
    claimed_until = [wait_until(lambda: claim_of(run), "the claim")]
    while len(claimed_until) < 4:
        claimed_until.append(wait_until(lambda: claim_of(run, claimed_until[-1]), "a longer claim"))
        sweep.sweep()
        run.refresh_from_db()
        assert run.status == "starting"
    sandbox.clear_faults()
    worker.join()

    run.refresh_from_db()
    assert run.remote_id == sandbox.runs[0]["runId"]
    assert run.due_at is None
    assert starts(sandbox) == 1


def claim_of(run: Run, later_than: datetime | None = None) -> datetime | None:
    """Return when the claim on the sent start ends; return None if the start hasn't been sent, or if the claim doesn't
    end after `later_than`."""
    run.refresh_from_db()
    is_later = run.due_at is not None and (later_than is None or run.due_at > later_than)
    return run.due_at if run.sent_at and is_later else None


# --- Power cuts -------------------------------------------------------------------------------------------------------
@pytest.mark.skipif(connection.vendor == "postgresql", reason="PostgreSQL waits if its settings say so")
def test_what_we_must_know_after_a_power_cut_is_on_the_disk(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    with commits() as found:
        run = press(alice, app)
        assert progress.claim_start(run, timezone.now(), timezone.now() + start_claim.CLAIM)
        assert progress.mark_sent(run, timezone.now(), is_alone=True)

    assert found[0] == found[-1] == SYNCED


SYNCED = "PRAGMA synchronous=FULL"


@contextmanager
def commits() -> Iterator[list[str]]:
    """Record the last PRAGMA before each commit; it shows whether the commit waited for the disk."""
    found: list[str] = []
    last = "usual"

    def note(statement: str) -> None:
        nonlocal last
        if statement.startswith("PRAGMA synchronous="):
            last = statement
        if statement == "COMMIT":
            found.append(last)

    connection.connection.set_trace_callback(note)
    yield found
    connection.connection.set_trace_callback(None)
    assert last != SYNCED  # other commits don't wait for the disk


# --- Several workers --------------------------------------------------------------------------------------------------
def test_two_workers_with_one_start_make_one_call(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    sandbox.control("faults", endpoint="run_start", fault="delay", seconds=0.5)
    run = press(alice, app)

    at_once(4, lambda: submit.submit_run(run.pk))

    run.refresh_from_db()
    assert run.remote_id
    assert starts(sandbox) == 1


def test_a_worker_whose_claim_expired_changes_nothing(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    run = press(alice, app)
    sleeper, now = Run.objects.get(pk=run.pk), timezone.now()
    assert progress.claim_start(sleeper, now, now + timedelta(seconds=1))
    later = now + timedelta(seconds=2)
    run.refresh_from_db()
    assert progress.claim_start(run, later, later + start_claim.CLAIM)
    assert progress.mark_sent(run, later, is_alone=True)

    assert not progress.mark_sent(sleeper, later, is_alone=True)
    assert not progress.hold(sleeper, Run.Wait.APP, later)
    assert not progress.doubt(sleeper)
    assert not progress.fail(sleeper, "files", later)

    run.refresh_from_db()
    assert (run.status, run.sent_at) == ("starting", later)


def test_a_worker_that_stalled_while_claiming_changes_nothing(
    alice: Member, app: App, sandbox: SandboxDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, sent_at = press(alice, app), timezone.now()
    OrmQ.objects.all().delete()
    read_again = Run.refresh_from_db

    def stalls(sleeper: Run) -> None:
        """Stand in for a worker that stalls until its claim has ended and another worker has sent the start."""
        monkeypatch.undo()
        make_due(run)
        assert progress.claim_start(run, timezone.now(), timezone.now() + start_claim.CLAIM)
        assert progress.mark_sent(run, sent_at, is_alone=True)
        read_again(sleeper)

    monkeypatch.setattr(Run, "refresh_from_db", stalls)

    submit.submit_run(run.pk)

    run.refresh_from_db()
    assert (run.status, run.sent_at, run.attempts) == ("starting", sent_at, 2)
    assert not OrmQ.objects.exists()
    assert starts(sandbox) == 0


def test_starts_of_one_app_go_one_after_the_other(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    """If two starts were in flight at once, we couldn't tell their runs apart in the list. In the end, each start has
    been sent exactly once."""
    sandbox.control("faults", endpoint="run_start", fault="delay", seconds=0.2, times=None)
    runs = [press(alice, app) for _ in range(5)]
    waiting = iter(runs)

    at_once(5, lambda: submit.submit_run(next(waiting).pk))
    left = Run.objects.filter(remote_id="").order_by("created_at")
    while (run := left.first()) is not None:
        swept(run)

    assert starts(sandbox) == len(sandbox.runs) == 5
    assert set(Run.objects.values_list("remote_id", flat=True)) == {run["runId"] for run in sandbox.runs}


def test_a_found_run_may_be_another_start_in_flight(
    alice: Member, app: App, sandbox: SandboxDoor, settings: Settings
) -> None:
    """If the portal receives webhooks, starts of the same app are sent in parallel, so a check must wait for the
    responses to the other starts."""
    settings.LAMINA_WEBHOOKS = "on"
    run, other = press(alice, app), press(alice, app)
    claimed = Run.objects.get(pk=run.pk)
    assert progress.claim_start(claimed, timezone.now(), timezone.now() + start_claim.CLAIM)
    assert progress.mark_sent(claimed, timezone.now(), is_alone=False)
    in_flight = Run.objects.get(pk=other.pk)
    assert progress.claim_start(in_flight, timezone.now(), timezone.now() + start_claim.CLAIM)
    assert progress.mark_sent(in_flight, timezone.now(), is_alone=False)
    its_id = start_as_stranger(sandbox)  # the other start, which has reached Lamina but hasn't been answered yet
    progress.doubt(claimed)

    look(claimed)
    assert (claimed.status, claimed.remote_id) == ("checking", "")
    assert claimed.due_at is not None
    assert progress.accept(in_flight, its_id, "queued", timezone.now())
    look(claimed)
    look(claimed)

    assert (claimed.status, in_flight.remote_id) == ("starting", its_id)
