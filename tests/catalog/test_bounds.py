"""Very large apps: the list, page and form stay small, and values that a form sends back are unchanged."""

import time
from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape
from pytest_django import Settings

from runs import catalog
from runs.catalog import bounds
from runs.lamina.types import AppDetail
from runs.models import App, AppSchema, Run
from runs.models.messages import Message
from runs.sandbox.catalogue import load_catalogue
from runs.words.messages import say
from tests.support.quick_portal import is_at_rest, work_until
from tests.support.sandbox_door import SandboxDoor
from tests.support.work import work

pytestmark = pytest.mark.django_db(transaction=True)
PAGE_BYTES = 150_000
PAGE_SECONDS = 3.0  # seconds of CPU time; without limits, a page would take 22 s


@pytest.fixture
def door(sandbox: SandboxDoor, settings: Settings) -> SandboxDoor:
    """A sandbox that contains only the odd apps that a test adds."""
    settings.LAMINA_REQUESTS_PER_MINUTE = 100_000
    sandbox.control("limit", per_minute=None)
    for app_id in load_catalogue(has_test_cards=True):
        sandbox._ask("DELETE", f"apps/{app_id}")
    return sandbox


def odd(door: SandboxDoor, kind: str, **how: Any) -> App:
    """Add an odd app, then read it from the list and by its id."""
    app_id = door.control("odd-apps", kind=kind, **how)["appIds"][0]
    catalog.refresh_catalog()
    return App.objects.select_related("schema").get(remote_id=app_id)


def measured(client: Client, address: str) -> Any:
    """Get the page at `address`, and check that it is small and fast."""
    began = time.process_time()
    answer = client.get(address)
    assert time.process_time() - began < PAGE_SECONDS
    assert answer.status_code == 200
    assert len(answer.content) < PAGE_BYTES
    return answer


def test_very_many_parameters_are_a_sentence(door: SandboxDoor, as_alice: Client) -> None:
    app = odd(door, "many_parameters", size=3_000)

    assert app.schema is None
    assert not AppSchema.objects.filter(app=app).exists()
    for address in ("/", "/apps/", "/apps/?q=very+many"):
        body = measured(as_alice, address).content
        assert b"Very many parameters" in body.replace(b"<mark>", b"").replace(b"</mark>", b"")
    page = measured(as_alice, app.get_absolute_url()).content.decode()
    assert app.form_problem == Message("too_many_inputs", {"asked": 3_000, "limit": 200})
    assert escape(say(app.form_problem)) in page
    assert "You can run it on Lamina." in page
    assert "Fetching this app" not in page
    assert 'hx-trigger="every 2s"' not in page
    work()
    assert as_alice.post(app.get_absolute_url(), {"p0": "x"}).status_code == 404
    assert not Run.objects.exists()


def test_an_app_that_became_small_enough_has_a_form(door: SandboxDoor, as_alice: Client) -> None:
    app = odd(door, "many_parameters", size=201)
    assert app.form_problem

    door.control("odd-apps", kind="many_parameters", size=200)
    catalog.refresh_app(app.pk)

    page = as_alice.get(app.get_absolute_url()).content.decode()
    assert page.count("<textarea") == 200
    assert "at most 200" not in page


def test_a_description_of_3_mb_is_shortened(door: SandboxDoor, as_alice: Client) -> None:
    app = odd(door, "long_description")

    assert len(app.description) == bounds.DESCRIPTION_LENGTH
    assert app.description.endswith("…")
    assert len(app.search_text) < 5_000
    for address in ("/", "/apps/", "/apps/?q=very+long", app.get_absolute_url()):
        measured(as_alice, address)
    before = AppSchema.objects.count()
    catalog.refresh_app(app.pk)
    assert AppSchema.objects.count() == before


def test_a_schema_that_is_too_large_is_a_sentence(door: SandboxDoor, as_alice: Client) -> None:
    app = odd(door, "large_schema")

    page = measured(as_alice, app.get_absolute_url()).content.decode()
    assert app.form_problem.code == "form_too_large"
    assert app.form_problem.values["limit_bytes"] == bounds.SCHEMA_BYTES
    assert escape(say(app.form_problem)) in page


def test_only_the_first_of_very_many_options_are_offered(door: SandboxDoor, as_alice: Client) -> None:
    app = odd(door, "many_options", size=3_000)

    page = measured(as_alice, app.get_absolute_url()).content.decode()
    assert page.count("<option ") == bounds.MOST_OPTIONS + 1
    assert "Showing 500 of 3,000 options." in page


def test_the_default_is_among_the_options_that_are_kept() -> None:
    options = [f"Option {n} " for n in range(1_000)]
    parameter = {"id": "a", "name": "Choice", "type": "options", "options": options, "default": "Option 900 "}
    schema = bounds.schema_of(AppDetail.model_validate({"appId": "a", "parameters": [parameter]}))
    kept = schema.parameters[0]["options"]
    assert len(kept) == bounds.MOST_OPTIONS
    assert kept[-1] == "Option 900 "
    assert kept[:499] == options[:499]


def with_options(fields: int, options: int) -> AppDetail:
    """Return an app with so many choices, each with so many options."""
    parameters = [
        {"id": f"c{n}", "name": f"Choice {n}", "type": "options", "options": [str(1_000 + m) for m in range(options)]}
        for n in range(fields)
    ]
    return AppDetail.model_validate({"appId": "a", "parameters": parameters})


def test_very_many_options_in_all_fields_together_are_a_sentence() -> None:
    told = bounds.schema_of(with_options(200, 380))
    assert told.problem == Message("too_many_options", {"asked": 76_000, "limit": bounds.MOST_OPTIONS_IN_ALL})
    assert say(told.problem) == "This app has 76,000 options to choose from; the limit is 5,000."
    assert told.parameters == []


def test_only_options_that_would_be_offered_count() -> None:
    assert not bounds.schema_of(with_options(10, 600)).problem
    assert not bounds.schema_of(with_options(100, 50)).problem
    assert bounds.schema_of(with_options(11, 600)).problem.values["asked"] == 6_600


def test_long_labels_are_shown_short_and_sent_exactly(door: SandboxDoor, as_alice: Client) -> None:
    app = odd(door, "long_labels", size=1_000)
    assert app.schema
    parameter, output = app.schema.parameters[0], app.schema.outputs[0]
    assert len(parameter["name"]) == len(parameter["options"][1]) == len(output["label"]) == 1_000
    assert len(app.name) == bounds.NAME_LENGTH

    page = measured(as_alice, app.get_absolute_url())
    told = page.content.decode()
    assert "…" in told
    exact = [parameter["name"], *parameter["options"], output["label"], "long label " * 30]
    assert [text for text in exact if text in told] == []
    fields = {"token": page.context["token"], "schema": page.context["schema_version"], "p0": "1", "outputs": "0"}
    as_alice.post(app.get_absolute_url(), fields)
    work_until(is_at_rest)

    run = Run.objects.get()
    assert run.status == "completed"
    assert door.runs[0]["inputs"] == {parameter["name"]: parameter["options"][1]}
    for address in (run.get_absolute_url(), "/history/", "/"):
        shown = measured(as_alice, address).content.decode()
        assert parameter["name"] not in shown
        assert "long label " * 30 not in shown
