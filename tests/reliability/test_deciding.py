"""What only a person may decide counts only while they are asked: no press on an old page starts or ends anything."""

import pytest
from django.test import Client

from runs.models import App, Member, Run
from tests.conftest import SandboxDoor
from tests.reliability.steps import hand_over, look, start_as_stranger, starts
from tests.services.test_main_line import press

pytestmark = pytest.mark.django_db(transaction=True)


def asked_about(sandbox: SandboxDoor, member: Member, app: App) -> Run:
    """A doubtful start that did happen, and another client's beside it: its maker is asked."""
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
    """The second one's page is old: the start the first one wanted has got no answer either, and is looked for."""
    run = asked_about(sandbox, alice, app)
    as_alice.post(f"{run.get_absolute_url()}start-again/")
    sandbox.control("faults", endpoint="run_start", fault="drop_after")
    hand_over(run)
    assert (run.status, starts(sandbox)) == ("checking", 3)

    as_admin.post(f"{run.get_absolute_url()}start-again/")

    run.refresh_from_db()
    assert run.status == "checking"
    assert run.due_at is not None
