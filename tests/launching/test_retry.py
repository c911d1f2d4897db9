"""Retrying a partly failed run: good results stay, and the others are made again, but only once."""

import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from runs.connection.status import record_status
from runs.models import App, Draft, Member, Output, Run, Upload
from runs.models.run import RunInputUpload
from runs.schema_forms.answers import load_answers
from tests.support.clients import client_of
from tests.support.factories import PICTURE, STYLE, make_app, make_run, make_schema, make_stored
from tests.support.page import Page

pytestmark = pytest.mark.django_db
LABELS = ("Front", "Back", "Side", "Reel")


def failed_in(run: Run, *positions: int) -> Run:
    Output.objects.filter(run=run, position__in=positions).update(status="error", error="The safety filter stopped it.")
    Run.objects.filter(pk=run.pk).update(outputs_failed=len(positions))
    run.refresh_from_db()
    return run


@pytest.fixture
def app() -> App:
    outputs = [{"index": 10 + n, "label": label, "type": "image"} for n, label in enumerate(LABELS)]
    return make_app(parameters=[STYLE, PICTURE], outputs=outputs, credits_expected=Decimal(12))


@pytest.fixture
def partly(alice: Member, app: App) -> Run:
    """A run that was supposed to make three of the app's four results; the second and third of them failed."""
    run = make_run(alice, app, status="completed", wanted_outputs=[10, 12, 13])
    run.outputs.filter(position=3).delete()
    return failed_in(run, 1, 2)


def token_of(client: Client, run: Run) -> str:
    body = client.get(run.get_absolute_url()).content.decode()
    form = re.search(r'retry-failed/.*?name="token" value="([^"]+)"', body, re.DOTALL)
    assert form, "no button"
    return form[1]


def retry(client: Client, run: Run, token: str) -> str:
    return str(client.post(f"/runs/{run.public_id}/retry-failed/", {"token": token}).headers["Location"])


def test_only_what_failed_is_started(as_alice: Client, alice: Member, partly: Run, app: App) -> None:
    Draft.objects.create(member=alice, app=app, answers=load_answers([{"name": "Style"}]))
    body = as_alice.get(partly.get_absolute_url()).content.decode()
    assert "Retry 2 failed results" in body
    assert "About 6 of 12 credits for 2 of 4 results." in body

    url = retry(as_alice, partly, token_of(as_alice, partly))

    again = Run.objects.exclude(pk=partly.pk).get()
    assert url == again.get_absolute_url()
    assert (again.parent, again.wanted_outputs, again.outputs_total) == (partly, [12, 13], 2)
    assert again.credits_estimated == 6
    assert [o.label for o in again.outputs.all()] == ["Side", "Reel"]
    assert [(i.name, i.value) for i in again.inputs.all()] == [("Style", "Ghibli")]
    assert Draft.objects.filter(member=alice).exists()  # a draft being typed in another tab is kept


def test_a_double_click_starts_one(as_alice: Client, partly: Run) -> None:
    token = token_of(as_alice, partly)

    assert retry(as_alice, partly, token) == retry(as_alice, partly, token)
    assert Run.objects.count() == 2


@pytest.mark.parametrize("is_shown", [True, False], ids=["shared with the team", "only me"])
def test_two_pages_open_at_once_start_one(as_alice: Client, as_bob: Client, partly: Run, is_shown: bool) -> None:
    Run.objects.filter(pk=partly.pk).update(shared_at=timezone.now())
    old, theirs = token_of(as_alice, partly), token_of(as_bob, partly)
    retry(as_alice, partly, token_of(as_alice, partly))
    Run.objects.filter(parent=partly).update(shared_at=timezone.now() if is_shown else None)

    assert retry(as_alice, partly, old) == retry(as_bob, partly, theirs) == partly.get_absolute_url()
    assert Run.objects.count() == 2


def test_the_two_runs_lead_to_each_other(as_alice: Client, partly: Run) -> None:
    url = retry(as_alice, partly, token_of(as_alice, partly))

    before, after = (as_alice.get(address).content.decode() for address in (partly.get_absolute_url(), url))

    assert links_of(before) == [url]
    assert "retry-failed/" not in before
    assert links_of(after) == [partly.get_absolute_url()]


def links_of(page: str) -> list[str]:
    """Return the links in the lines about retries."""
    return [link.attributes["href"] for line in Page(page).find(css="run-family") for link in line.find("a")]


def test_when_that_failed_too_it_can_be_retried(as_alice: Client, partly: Run) -> None:
    retry(as_alice, partly, token_of(as_alice, partly))
    Run.objects.filter(parent=partly).update(status="failed", finished_at=timezone.now())

    assert token_of(as_alice, partly)


def test_files_of_a_teammates_run_come_along(as_bob: Client, bob: Member, alice: Member, partly: Run) -> None:
    upload = Upload.objects.create(member=alice, file=make_stored(), status="ready", name="a.png")
    photo = partly.inputs.create(position=1, name="Photo", parameter_id="u-1", type="url", value=[])
    RunInputUpload.objects.create(input=photo, upload=upload, position=0)
    Run.objects.filter(pk=partly.pk).update(shared_at=timezone.now())

    retry(as_bob, partly, token_of(as_bob, partly))

    again = Run.objects.get(member=bob)
    assert [link.upload.member for link in RunInputUpload.objects.filter(input__run=again)] == [bob]


def test_without_enough_credits_it_is_blocked_with_the_reason(as_alice: Client, partly: Run) -> None:
    record_status(balance=Decimal(1))
    body = as_alice.get(partly.get_absolute_url()).content.decode()

    assert "the balance is 1." in Page(body).first(id="retry-words").words
    assert 'aria-disabled="true" aria-describedby="retry-words"' in body
    retry(as_alice, partly, re.findall(r'name="token" value="([^"]+)"', body)[0])
    assert Run.objects.count() == 1


def test_a_changed_form_blocks_it_with_the_reason(as_alice: Client, partly: Run, app: App) -> None:
    token = token_of(as_alice, partly)
    app.schema = make_schema(app, parameters=[STYLE], outputs=[])
    app.save()

    assert "form has changed since" in as_alice.get(partly.get_absolute_url()).content.decode()
    retry(as_alice, partly, token)
    assert Run.objects.count() == 1


def test_a_strange_or_empty_token_starts_nothing(as_alice: Client, as_bob: Client, partly: Run) -> None:
    Run.objects.filter(pk=partly.pk).update(shared_at=timezone.now())

    for token in ("", "made up", token_of(as_bob, partly)):
        retry(as_alice, partly, token)

    assert Run.objects.count() == 1


def test_results_of_one_label_are_made_together(as_alice: Client, alice: Member) -> None:
    outputs = [{"index": n, "label": "Designer", "type": "image"} for n in range(2)]
    run = failed_in(make_run(alice, make_app(outputs=outputs), status="completed"), 1)

    assert "2 results" in Page(as_alice.get(run.get_absolute_url()).text).first(id="retry-words").words
    retry(as_alice, run, token_of(as_alice, run))

    assert Run.objects.get(parent=run).wanted_outputs == [0, 1]


@pytest.mark.parametrize("status", ["running", "failed", "cancelled"])
def test_it_is_offered_for_partly_ready_runs_only(as_alice: Client, alice: Member, app: App, status: str) -> None:
    run = failed_in(make_run(alice, app, status=status), 0)

    assert "retry-failed" not in as_alice.get(run.get_absolute_url()).content.decode()


def test_viewers_only_look(make_member: Callable[..., Member], partly: Run) -> None:
    Run.objects.filter(pk=partly.pk).update(shared_at=timezone.now())
    client = client_of(make_member("vera", role="viewer"))

    assert "retry-failed" not in client.get(partly.get_absolute_url()).content.decode()
    assert client.post(f"/runs/{partly.public_id}/retry-failed/", {"token": ""}).status_code == 403
