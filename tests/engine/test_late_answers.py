"""A late response to a start that has already been settled: the extra run is cancelled and reported, unless it turns
out to be one of ours."""

import pytest
from django.utils import timezone

from runs.engine import progress, start_claim, submit
from runs.models import App, Incident, Member, Run
from tests.engine.steps import hand_over, start_as_stranger
from tests.support.cartoonify import press
from tests.support.sandbox_door import SandboxDoor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_runs_go_on")]


def sent(run: Run) -> Run:
    """Claim the start and mark its POST as sent."""
    now = timezone.now()
    assert progress.claim_start(run, now, now + start_claim.CLAIM)
    assert progress.mark_sent(run, now, is_alone=True)
    return run


def answered(run: Run, remote_id: str) -> None:
    """Make the worker handle a response to the POST that names the run `remote_id`."""
    if not progress.accept(run, remote_id, "queued", timezone.now()):
        submit._cancel_second_start(run, remote_id)


def test_the_id_of_another_run_of_ours_cancels_nothing(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    """The second start had gone unanswered for so long that it was being checked. Then Lamina named a run that was
    already ours."""
    first = hand_over(press(alice, app))
    second = sent(press(alice, app))
    assert progress.doubt(second)

    answered(second, first.remote_id)

    assert sandbox.requests_to("cancel") == []
    second.refresh_from_db()
    assert (second.status, second.remote_id) == ("checking", "")


def test_the_answer_that_names_this_very_run_cancels_nothing(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    run = sent(press(alice, app))
    remote_id = start_as_stranger(sandbox)
    assert progress.accept(run, remote_id, "queued", timezone.now())  # accepted through a webhook

    answered(run, remote_id)

    assert sandbox.requests_to("cancel") == []


@pytest.mark.parametrize(("fault", "code"), [("", "second_start_cancelled"), ("drop_before", "second_start_goes_on")])
def test_a_surplus_run_is_stopped_and_reported(
    alice: Member, app: App, sandbox: SandboxDoor, fault: str, code: str
) -> None:
    run = sent(press(alice, app))
    assert progress.accept(run, start_as_stranger(sandbox), "queued", timezone.now())
    surplus = start_as_stranger(sandbox)
    if fault:
        sandbox.control("faults", endpoint="cancel", fault=fault)

    answered(run, surplus)

    assert Incident.objects.get(text__contains="second_start").text.code == code
    assert fault or sandbox.runs[-1]["status"] == "cancelled"
