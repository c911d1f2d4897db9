"""An app that changed on Lamina while its form was open: pressing Run says so, and nothing is sent."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from runs import catalog
from runs.audit.actors import Way
from runs.launching.posted_form import CHANGED
from runs.models import App, Entry, Member, Run, Verb
from tests.support.app_forms import fields, token_in
from tests.support.app_settings import locked, set_rules
from tests.support.factories import OUTPUTS, make_run
from tests.support.page import Page
from tests.support.sandbox_door import SandboxDoor

pytestmark = pytest.mark.django_db(transaction=True)
LATER = timedelta(minutes=3)
STYLE = {"key": "", "id": "s", "name": "Style", "type": "options", "options": ["Ghibli", "Pixar"], "default": "Ghibli"}
PROMPT = {"key": "prompt", "id": "p", "name": "Prompt", "type": "text", "default": ""}
MOOD = {"key": "mood", "id": "m", "name": "Mood", "type": "text", "default": ""}


@pytest.fixture
def app(sandbox: SandboxDoor) -> App:
    """An app whose form was read when it was opened."""
    change(sandbox, [STYLE, PROMPT])
    app = App.objects.create(remote_id="tidal", name="Tidal")
    catalog.refresh_app(app.pk)
    app.refresh_from_db()
    return app


def change(sandbox: SandboxDoor, parameters: list[dict[str, Any]]) -> None:
    form = {"parameters": parameters, "outputs": OUTPUTS}
    sandbox.control("apps", app={"appId": "tidal", "name": "Tidal", **form})


def test_run_says_that_the_form_has_changed_and_brings_what_was_typed(
    as_alice: Client, alice: Member, app: App, sandbox: SandboxDoor
) -> None:
    form = fields(app, alice)
    change(sandbox, [MOOD, STYLE, PROMPT])

    with time_machine.travel(timezone.now() + LATER):
        answer = as_alice.post(app.get_absolute_url(), form)

    page = Page(answer.text)
    assert answer.status_code == 422
    assert CHANGED in page.words
    typed = {field.attributes["name"]: field.text.strip() for field in page.find("textarea")}
    assert typed == {"p0": "", "p2": "at sea"}
    assert not Run.objects.exists()
    assert not sandbox.requests_to("run_start")


def test_an_app_without_a_usable_form_keeps_what_was_typed(
    as_alice: Client, alice: Member, app: App, sandbox: SandboxDoor
) -> None:
    form = fields(app, alice)
    change(sandbox, [{**PROMPT, "default": "x" * 3_000_000}])

    with time_machine.travel(timezone.now() + LATER):
        answer = as_alice.post(app.get_absolute_url(), form, follow=True)

    assert answer.status_code == 200
    assert not Run.objects.exists()
    assert "You can run it on Lamina." in Page(answer.text).words
    assert "at sea" in str(alice.drafts.get().answers)


def test_a_gone_app_is_told_before_anything_is_sent(
    as_alice: Client, alice: Member, app: App, sandbox: SandboxDoor
) -> None:
    form = fields(app, alice)
    sandbox.control("apps/tidal", gone=True)

    with time_machine.travel(timezone.now() + LATER):
        answer = as_alice.post(app.get_absolute_url(), form)

    assert "Lamina no longer offers this app." in Page(answer.text).words
    assert not Run.objects.exists()


def test_a_run_starts_though_lamina_is_silent_or_down(
    as_alice: Client, alice: Member, app: App, sandbox: SandboxDoor
) -> None:
    sandbox.control("faults", endpoint="app", fault="delay", seconds=30)

    with time_machine.travel(timezone.now() + LATER):
        answer = as_alice.post(app.get_absolute_url(), fields(app, alice))
        page = as_alice.get(answer.headers["Location"])

    assert Run.objects.get().get_absolute_url() == answer.headers["Location"]
    assert "can't reach Lamina" not in Page(page.text).words


def test_presses_within_a_few_seconds_ask_lamina_once(
    as_alice: Client, alice: Member, app: App, sandbox: SandboxDoor
) -> None:
    asked = len(sandbox.requests_to("app"))

    with time_machine.travel(timezone.now() + LATER, tick=False):
        for _ in range(3):
            as_alice.post(app.get_absolute_url(), fields(app, alice))

    assert Run.objects.count() == 3
    assert len(sandbox.requests_to("app")) == asked + 1


def test_a_rule_that_no_longer_fits_is_found_by_the_portal_not_by_the_person(
    as_alice: Client, alice: Member, app: App, admin_member: Member, sandbox: SandboxDoor
) -> None:
    set_rules(app, admin_member, p0=locked("Ghibli"))
    form = fields(app, alice)
    change(sandbox, [{**STYLE, "options": ["Pixar"], "default": "Pixar"}, PROMPT])

    with time_machine.travel(timezone.now() + LATER):
        as_alice.post(app.get_absolute_url(), form)

    assert Entry.objects.get(verb=Verb.APP_PAUSED).way == Way.WORKER
    assert not Run.objects.exists()


def test_running_again_and_retrying_ask_first_as_well(
    as_alice: Client, alice: Member, app: App, sandbox: SandboxDoor
) -> None:
    run = make_run(alice, app, status="completed", outputs_failed=1)
    run.outputs.filter(position=0).update(status="error")
    again, retry = (f"/runs/{run.public_id}/{act}/" for act in ("again", "retry-failed"))
    tokens = [token_in(as_alice.get(url).text) for url in (again, run.get_absolute_url())]
    change(sandbox, [{**STYLE, "options": ["Pixar"], "default": "Pixar"}, PROMPT])

    with time_machine.travel(timezone.now() + LATER):
        retried = as_alice.post(retry, {"token": tokens[1]}, follow=True)
    change(sandbox, [{**STYLE, "options": ["Manga"], "default": "Manga"}, PROMPT])
    with time_machine.travel(timezone.now() + 2 * LATER):
        answer = as_alice.post(again, {"token": tokens[0]})

    assert "form has changed since this run" in Page(retried.text).words
    assert "form has changed since that run" in Page(answer.text).words
    assert Run.objects.count() == 1
