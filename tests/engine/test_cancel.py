"""Cancelling runs while they are being started: before they are sent, in flight, and in doubt."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from runs.engine import cancel, progress, reconcile, start_claim
from runs.models import App, Member, Run
from tests.engine.steps import (
    begin,
    hand_over,
    look,
    make_due,
    starts,
)
from tests.support.cartoonify import press
from tests.support.processes import wait_until
from tests.support.sandbox_door import SandboxDoor
from tests.support.work import queued

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_runs_go_on")]


def test_cancelled_before_it_was_sent(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    run = press(alice, app)

    assert progress.ask_cancel(run, alice, timezone.now()) == "cancelled"

    assert hand_over(run).status == "cancelled"
    assert starts(sandbox) == 0


@pytest.mark.parametrize("happened", [True, False])
def test_cancelled_while_checking(alice: Member, app: App, sandbox: SandboxDoor, happened: bool) -> None:
    sandbox.control("faults", endpoint="run_start", fault="drop_after" if happened else "drop_before")
    run = hand_over(press(alice, app))
    OrmQ.objects.all().delete()

    assert progress.ask_cancel(run, alice, timezone.now()) == "asked"

    if happened:
        look(run)
        assert "runs.tasks.cancel_run" in [task["func"] for task in queued()]
        cancel.send_cancel(run.pk)
        assert sandbox.runs[0]["cancelled"]
    else:
        look(run)
        look(run)
    run.refresh_from_db()
    assert (run.status, run.cancelled_by) == ("cancelled", alice)
    assert starts(sandbox) == 1


def test_cancelled_during_the_deciding_look(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    sandbox.control("faults", endpoint="run_start", fault="drop_before")
    run = look(hand_over(press(alice, app)))
    make_due(run)
    sandbox.control("faults", endpoint="runs", fault="delay", seconds=600)
    looker = begin(lambda: reconcile.check_run(run.pk))
    wait_until(lambda: Run.objects.filter(pk=run.pk, due_at__gt=timezone.now()).exists(), "the check to begin")

    assert progress.ask_cancel(run, alice, timezone.now()) == "asked"
    sandbox.clear_faults()
    looker.join()

    run.refresh_from_db()
    assert run.status == "cancelled"
    assert starts(sandbox) == 1


@pytest.mark.parametrize("fault", ["plain_429", "drop_before"])
def test_cancelled_in_flight_and_then_it_had_not_started(
    alice: Member, app: App, sandbox: SandboxDoor, fault: str
) -> None:
    run = press(alice, app)
    assert progress.claim_start(run, timezone.now(), timezone.now() + start_claim.CLAIM)
    assert progress.mark_sent(run, timezone.now(), is_alone=True)
    assert progress.ask_cancel(run, alice, timezone.now()) == "asked"

    if fault == "plain_429":
        progress.hold(run, Run.Wait.RATE, timezone.now() + timedelta(seconds=5))
    else:
        progress.doubt(run)
        look(run)
        look(run)

    run.refresh_from_db()
    assert run.status == "cancelled"
    assert not Run.objects.active().exists()
    assert starts(sandbox) == 0
