"""A person's decision counts only while the question is open. Even if a process dies, it takes effect completely or not
at all."""

import pytest
from django.test import Client
from django.utils import timezone

from runs.engine import apply_outputs, progress, start_claim
from runs.models import App, Member, Run
from tests.engine.steps import hand_over, look, start_as_stranger, starts
from tests.support.cartoonify import press
from tests.support.sandbox_door import SandboxDoor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_runs_go_on")]


def asked_about(sandbox: SandboxDoor, member: Member, app: App) -> Run:
    """Make a start that did go through but got no clear response, and another client's run alongside it, so that the
    maker has to decide."""
    sandbox.control("faults", endpoint="run_start", fault="drop_after")
    run = hand_over(press(member, app))
    start_as_stranger(sandbox)
    look(run)
    assert (run.status, run.due_at) == ("checking", None)
    return run


@pytest.mark.parametrize("button", ["start-again", "leave"])
def test_while_it_is_looked_for_nobody_decides(
    alice: Member, app: App, sandbox: SandboxDoor, as_alice: Client, button: str
) -> None:
    sandbox.control("faults", endpoint="run_start", fault="drop_after")
    run = hand_over(press(alice, app))

    as_alice.post(f"{run.get_absolute_url()}{button}/")

    run.refresh_from_db()
    assert run.status == "checking"
    assert look(run).remote_id == sandbox.runs[0]["runId"]
    assert starts(sandbox) == 1


def test_two_who_were_asked_at_once_start_it_once(
    alice: Member, app: App, sandbox: SandboxDoor, as_alice: Client, as_admin: Client
) -> None:
    """The second person's page is out of date: the first person has already started the run again, and that start got
    no response either."""
    run = asked_about(sandbox, alice, app)
    as_alice.post(f"{run.get_absolute_url()}start-again/")
    sandbox.control("faults", endpoint="run_start", fault="drop_after")
    hand_over(run)
    assert (run.status, starts(sandbox)) == ("checking", 3)

    as_admin.post(f"{run.get_absolute_url()}start-again/")

    run.refresh_from_db()
    assert run.status == "checking"
    assert run.due_at is not None


def test_a_crash_in_the_middle_of_a_cancel_leaves_no_open_box(
    alice: Member, app: App, sandbox: SandboxDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cancel arrived while the POST was in flight. Lamina said "wait", so nothing started; then the worker died."""
    run, now = press(alice, app), timezone.now()
    assert progress.claim_start(run, now, now + start_claim.CLAIM)
    assert progress.mark_sent(run, now, is_alone=True)
    assert progress.ask_cancel(run, alice, now) == "asked"
    run.refresh_from_db()

    def dies(*_: object) -> bool:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(apply_outputs, "close_open_boxes", dies)
        with pytest.raises(SystemExit):
            progress.hold(run, Run.Wait.RATE, timezone.now())
    hand_over(run)

    assert run.status == "cancelled"
    assert set(run.outputs.values_list("status", flat=True)) == {"cancelled"}
    assert starts(sandbox) == 0
