"""Endless bad responses from Lamina: requests are retried less and less often, then the failure is reported. Nothing is
paid for twice."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import escape
from django_q.models import OrmQ

from runs.engine import cancel, create_run, reconcile, sweep, wakeups
from runs.engine.create_run import LaunchRequest
from runs.models import App, Member, Output, OutputFile, Run
from runs.schema_forms.answers import load_answers
from runs.uploads import uploads
from runs.words.run_failures import FAILURES
from tests.engine.steps import hand_over, look, make_due, seconds_ahead, starts, waits
from tests.support.cartoonify import press
from tests.support.factories import make_run
from tests.support.hostile_server import picture
from tests.support.sandbox_door import SandboxDoor
from tests.support.uploads import disk
from tests.support.work import queued

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_runs_go_on")]


def sent_and_looked_for(run: Run) -> Run:
    """Send a start that gets no clear response, then look for its run twice without finding it."""
    make_due(run)
    assert hand_over(run).status == "checking"
    for _ in range(reconcile.LOOKS):
        look(run)
    return run


def test_a_start_without_a_clear_answer_is_delayed_more_each_time_and_then_a_person_decides(
    alice: Member, app: App, sandbox: SandboxDoor, as_alice: Client
) -> None:
    sandbox.control("faults", endpoint="run_start", fault="status", status=503, times=None)
    run = press(alice, app)
    for pause in (0, 60, 300, 600):
        sent_and_looked_for(run)
        assert run.status == "starting"
        assert waits(run, pause)
    assert "Next attempt in" in as_alice.get(run.get_absolute_url()).content.decode()

    sent_and_looked_for(run)

    assert (run.status, run.due_at, starts(sandbox)) == ("checking", None, 5)
    body = as_alice.get(run.get_absolute_url()).content.decode()
    assert "Lamina gave no clear answer to 5 attempts to start this run, and the run isn&#x27;t on its list." in body
    assert not Run.objects.needing_poller().exists()

    sandbox.clear_faults()
    as_alice.post(f"{run.get_absolute_url()}start-again/")
    assert hand_over(run).remote_id == sandbox.runs[0]["runId"]
    assert (len(sandbox.runs), starts(sandbox)) == (1, 6)


def test_starting_again_begins_with_all_tries(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    sandbox.control("faults", endpoint="run_start", fault="drop_before", times=None)
    run = press(alice, app)
    Run.objects.filter(pk=run.pk).update(empty_looks=reconcile.LOOKS * len(reconcile.AGAIN_AFTER))
    assert sent_and_looked_for(run).due_at is None

    from runs.engine import progress

    assert progress.start_again(run, timezone.now())
    assert sent_and_looked_for(run).status == "starting"


def test_a_late_start_among_several_is_found_and_nothing_is_sent_again(
    alice: Member, app: App, sandbox: SandboxDoor
) -> None:
    """The first POST did start a run, but it appeared in Lamina's list only after the second POST."""
    sandbox.control("faults", endpoint="run_start", fault="status", status=500, times=1)
    run = sent_and_looked_for(press(alice, app))
    sandbox.control("faults", endpoint="run_start", fault="status", status=500, acts=True, times=None)
    make_due(run)
    hand_over(run)

    look(run)

    assert run.remote_id == sandbox.runs[0]["runId"]
    assert (len(sandbox.runs), starts(sandbox)) == (1, 2)


def test_a_file_that_is_never_taken_leads_back_to_the_form(
    alice: Member, app: App, sandbox: SandboxDoor, as_alice: Client
) -> None:
    sandbox.control("faults", endpoint="upload_put", fault="status", status=403, times=None)
    run = press_with_file(alice, app)
    waited = 0.0
    while hand_over(run).status == "starting":
        waited += seconds_ahead(run)
        make_due(run)

    assert 25 * 60 < waited < 35 * 60
    assert (run.status, run.failure, starts(sandbox)) == ("failed", "files", 0)
    body = as_alice.get(run.get_absolute_url()).content.decode()
    assert escape(str(FAILURES["files"][0])) in body
    assert "Back to the form" in body


def test_a_file_that_is_accepted_in_the_end_does_not_count_against_the_run(
    alice: Member, app: App, sandbox: SandboxDoor
) -> None:
    sandbox.control("faults", endpoint="upload_put", fault="status", status=503, times=3)
    run = press_with_file(alice, app)
    for _ in range(3):
        assert hand_over(run).status == "starting"
        make_due(run)

    assert hand_over(run).remote_id
    assert run.missing_reads == 0  # reset to 0, because from now on it counts "no such run" responses


def press_with_file(member: Member, app: App) -> Run:
    assert app.schema is not None
    photo = uploads.receive_file(member, disk(picture()), ["image"])
    values = [{"uploads": [photo.public_id]}, "Ghibli", "4:3"]
    answers: list[Any] = [
        {"name": p["name"], "key": p["key"], "id": p["id"], "type": p["type"], "value": value, "is_default": False}
        for p, value in zip(app.schema.parameters, values, strict=True)
    ]
    return create_run.launch_run(
        member, LaunchRequest(app, app.schema, load_answers(answers), [0], create_run.new_form_token(member))
    )


def test_an_unanswered_cancel_is_sent_once_more_while_the_run_goes_on(
    alice: Member, app: App, sandbox: SandboxDoor, as_alice: Client
) -> None:
    run = hand_over(press(alice, app))
    sandbox.control("faults", endpoint="cancel", fault="empty", times=None)
    as_alice.post(f"{run.get_absolute_url()}cancel/")
    cancel.send_cancel(run.pk)
    run.refresh_from_db()
    assert (run.is_active, run.cancel_answer) == (True, "")
    OrmQ.objects.all().delete()

    sweep.sweep()
    assert not OrmQ.objects.exists()  # the portal first gives Lamina a few seconds
    sweep.sweep(timezone.now() + timedelta(seconds=21))
    (task,) = queued()
    assert (task["func"], task["args"]) == ("runs.tasks.cancel_run", (run.pk,))
    cancel.send_cancel(run.pk)
    OrmQ.objects.all().delete()
    sweep.sweep(timezone.now() + timedelta(hours=1))

    assert not OrmQ.objects.exists()
    assert len(sandbox.requests_to("cancel")) == 2


def test_a_box_with_text_says_why_its_file_was_not_saved(alice: Member, as_alice: Client) -> None:
    run = make_run(alice, status="completed")
    output = Output.objects.get(run=run, position=0)
    Output.objects.filter(pk=output.pk).update(label="Caption", kind="text", text="A lake.", status="completed")
    output.files.all().delete()
    link = "https://cdn.example.com/voice.mp3"
    OutputFile.objects.create(output=output, source_url=link, status="failed", error="There is no file any more.")

    body = as_alice.get(run.get_absolute_url()).content.decode()

    assert "We couldn't save a copy of this result's file. There is no file any more." in body
    assert link in body


def test_a_cancel_that_could_not_be_sent_is_sent_again_in_the_next_round(
    alice: Member, app: App, sandbox: SandboxDoor, as_alice: Client
) -> None:
    run = hand_over(press(alice, app))
    as_alice.post(f"{run.get_absolute_url()}cancel/")
    sandbox.control("faults", endpoint="cancel", fault="drop_before")
    cancel.send_cancel(run.pk)
    OrmQ.objects.all().delete()

    sweep.sweep(timezone.now() + wakeups.BELIEVED * 2)

    assert [task["func"] for task in queued()] == ["runs.tasks.cancel_run"]
