"""A start refused only because Lamina uses different names for the inputs is retried once with those names."""

from collections.abc import Iterator
from typing import Any

import pytest

from runs import catalog
from runs.engine import create_run
from runs.engine.create_run import LaunchRequest, launch_run
from runs.models import App, Member, Run
from runs.schema_forms.answers import Answer
from tests.support.quick_portal import is_at_rest, quick_portal, work_until
from tests.support.sandbox_door import SandboxDoor

pytestmark = pytest.mark.django_db(transaction=True)
SHAPES: dict[str, dict[str, Any]] = {
    "structured": {
        "error": "Bad",
        "code": "VALIDATION_ERROR",
        "details": [{"field": "Title", "code": "unknown_parameter"}],
    },
    "structured, a sentence": {
        "error": "Bad",
        "code": "VALIDATION_ERROR",
        "details": [{"path": ["inputs", "Title"], "message": "Unknown parameter"}],
    },
    "structured, no field": {
        "error": "Bad",
        "code": "VALIDATION_ERROR",
        "details": [{"code": "unknown_parameter", "message": "Unknown parameter: Title"}],
    },
    "structured, words alone": {"error": 'Unknown parameter "Title"', "code": "VALIDATION_ERROR", "details": []},
    "code alone": {"error": "Bad", "code": "unknown_parameter"},
    "legacy": {"error": "Invalid inputs", "details": ['"Title": unknown parameter']},
    "legacy, the name behind": {"error": "Invalid inputs", "details": ["Unknown parameter: Title"]},
    "legacy, the name in quotes": {"error": "Invalid inputs", "details": ['Unknown parameter "Title"']},
    "legacy, the headline alone": {"error": "Unknown parameter: Title"},
    "nested": {
        "error": "Bad",
        "code": "VALIDATION_ERROR",
        "details": {
            "code": "INVALID",
            "message": "Bad",
            "details": {"errors": [{"field": "Title", "error": "unknown_parameter"}]},
        },
    },
    "nested, no list": {
        "error": "Bad",
        "code": "VALIDATION_ERROR",
        "details": {"code": "unknown_parameter", "message": "Unknown parameter: Title"},
    },
    "an object of names": {"error": "Bad", "code": "VALIDATION_ERROR", "details": {"Title": ["unknown parameter"]}},
    "missed as well": {
        "error": "Bad",
        "details": ['"Title": unknown parameter', '"Title": has no default and is missing'],
    },
}
OTHERS: dict[str, dict[str, Any]] = {
    "another complaint too": {
        "error": "Bad",
        "details": ['"Title": unknown parameter', '"Style": invalid option "Calm "'],
    },
    "an input that was not sent is missing": {
        "error": "Bad",
        "details": ['"Title": unknown parameter', '"Photo": missing'],
    },
    "only missing": {"error": "Bad", "details": ['"Title": missing']},
    "no words about it": {"error": "Bad", "code": "VALIDATION_ERROR", "details": []},
}


@pytest.fixture
def door(sandbox: SandboxDoor) -> Iterator[SandboxDoor]:
    with quick_portal(sandbox):
        yield sandbox


def known(door: SandboxDoor, kind: str, **flags: Any) -> App:
    """Add an odd app with three inputs, two of them required, and return it once its form has been read."""
    app_id = door.control("odd-apps", kind=kind, **flags)["appIds"][0]
    app = App.objects.create(remote_id=app_id, name="not read yet")
    catalog.refresh_app(app.pk)
    return App.objects.select_related("schema").get(pk=app.pk)


def press(member: Member, app: App) -> Run:
    """Run `app` with a title and a style, and follow the run to its end."""
    assert app.schema
    values = {"Title": "words", "Style": "Calm ", "Photo": ""}
    answers = [
        Answer.from_stored(parameter | {"value": values[parameter["name"]], "is_default": parameter["name"] == "Photo"})
        for parameter in app.schema.parameters
    ]
    run = launch_run(member, LaunchRequest(app, app.schema, answers, [0], create_run.new_form_token(member)))
    work_until(is_at_rest)
    run.refresh_from_db()
    return run


@pytest.mark.parametrize("errors", ["structured", "strings", "legacy", "nested"])
@pytest.mark.parametrize("kind", ["only_key", "only_id"])
def test_inputs_go_by_key_or_id_where_their_names_are_unknown(
    door: SandboxDoor, alice: Member, kind: str, errors: str
) -> None:
    run = press(alice, known(door, kind, errors=errors))

    assert run.status == "completed"
    assert [request["status"] for request in door.requests_to("run_start")] == [400, 202]
    assert len(door.runs) == 1
    handles = ("title_text", "style_text") if kind == "only_key" else ("on-1", "on-2")
    assert door.runs[0]["inputs"] == dict(zip(handles, ("words", "Calm "), strict=True))
    stored = list(run.inputs.values_list("name", "key", "parameter_id"))
    key = "title_text" if kind == "only_key" else ""
    assert stored[0] == ("Title", key, "on-1")


@pytest.mark.parametrize("shape", SHAPES)
def test_every_form_of_the_refusal_is_understood(door: SandboxDoor, alice: Member, shape: str) -> None:
    app = known(door, "only_key", names=["key", "id", "name"])
    door.control("faults", endpoint="run_start", fault="status", status=400, body=SHAPES[shape])

    run = press(alice, app)

    assert run.status == "completed"
    assert len(door.requests_to("run_start")) == 2
    assert set(door.runs[0]["inputs"]) == {"title_text", "style_text"}


@pytest.mark.parametrize("shape", OTHERS)
def test_any_other_refusal_is_reported_at_once(door: SandboxDoor, alice: Member, shape: str) -> None:
    app = known(door, "only_key")
    door.control("faults", endpoint="run_start", fault="status", status=400, body=OTHERS[shape])

    run = press(alice, app)

    assert run.status == "failed"
    assert len(door.requests_to("run_start")) == 1


def test_it_is_not_sent_a_third_time(door: SandboxDoor, alice: Member) -> None:
    app = known(door, "only_key")
    door.control("faults", endpoint="run_start", fault="status", status=400, body=SHAPES["legacy"], times=None)

    run = press(alice, app)

    assert (run.status, run.failure) == ("failed", "inputs")
    assert len(door.requests_to("run_start")) == 2
    assert run.field_errors[0]["field"] == "Title"


def test_a_start_is_not_repeated_after_an_unclear_answer(door: SandboxDoor, alice: Member) -> None:
    app = known(door, "only_key", names=["key", "id", "name"])
    door.control("faults", endpoint="run_start", fault="status", status=500, acts=True, body=SHAPES["legacy"])

    run = press(alice, app)

    assert run.status == "completed"
    assert len(door.requests_to("run_start")) == len(door.runs) == 1
