"""Forms that are forged, belong to somebody else, have already been used or are outdated: each starts at most one run,
and nothing typed is lost."""

import copy
from typing import Any

import pytest
from django.test import Client

from runs import catalog
from runs.engine import create_run
from runs.models import App, Member, Run
from runs.words.run_failures import FAILURES
from tests.hostile.apps import EVERYTHING, NOTE
from tests.hostile.browser import Browser
from tests.hostile.faults import known
from tests.hostile.form import Form
from tests.hostile.media import png
from tests.support.page import errors_of
from tests.support.quick_portal import is_at_rest, work_until
from tests.support.sandbox_door import SandboxDoor

pytestmark = pytest.mark.django_db(transaction=True)

EXPIRED = "This form was open too long, or you've switched accounts. Nothing is lost; press Run again."
SPENT = "You've already started a run with this form. Press Run again to start another with these values."
CHANGED = "This app's form has changed since you opened it. Your answers are kept where they still fit."


@pytest.mark.parametrize("token", ["", "forged", "1.abc:forged", "another's", "altered"])
def test_a_token_that_is_not_ours(lamina_door: SandboxDoor, browser: Browser, bob: Member, token: str) -> None:
    form = browser.open(known(lamina_door, NOTE)).set("p0", "typed")
    forged = {"another's": create_run.new_form_token(bob), "altered": form.get("token").replace(".", "1.", 1)}

    page = browser.refused(form.set("token", forged.get(token, token)))

    assert EXPIRED in [e.words for e in page.find(css="notice")]
    assert not Run.objects.exists()
    again = Form.on(page.html)
    assert again.get("p0") == "typed"
    browser.press(again)
    assert Run.objects.count() == 1


def test_without_a_csrf_token_there_is_no_run(lamina_door: SandboxDoor, alice: Member) -> None:
    app = known(lamina_door, NOTE)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    fields = {"p0": "x", "outputs": ["0"], "token": create_run.new_form_token(alice)}

    assert strict.post(app.get_absolute_url(), fields).status_code == 403
    assert not Run.objects.exists()


def test_a_used_form(lamina_door: SandboxDoor, browser: Browser) -> None:
    form = browser.open(known(lamina_door, NOTE)).set("p0", "first")
    run = browser.press(form)
    work_until(is_at_rest)

    assert browser.press(form).pk == run.pk  # as when going back and pressing Run again
    page = browser.refused(form.set("p0", "second"))
    assert SPENT in [e.words for e in page.find(css="notice")]
    assert Run.objects.count() == 1
    again = Form.on(page.html)
    assert again.get("p0") == "second"
    assert browser.press(again).pk != run.pk
    work_until(is_at_rest)
    assert [record["inputs"] for record in lamina_door.runs] == [{"Note": "first"}, {"Note": "second"}]


def test_a_used_form_of_another_app(lamina_door: SandboxDoor, browser: Browser) -> None:
    form = browser.open(known(lamina_door, NOTE)).set("p0", "first")
    browser.press(form)
    other = browser.open(known(lamina_door, NOTE | {"appId": "other"})).set("p0", "first")

    page = browser.refused(other.set("token", form.get("token")))

    assert SPENT in [e.words for e in page.find(css="notice")]
    assert Run.objects.count() == 1


def changed(**parameters: dict[str, Any] | None) -> dict[str, Any]:
    """Return EVERYTHING with the given parameters (named by their ids) changed, or removed if they are None."""
    app = copy.deepcopy(EVERYTHING)
    kept = [p for p in app["parameters"] if parameters.get(p["id"], {}) is not None]
    app["parameters"] = [p | (parameters.get(p["id"]) or {}) for p in kept]
    return app


@pytest.mark.parametrize(
    ("change", "style_is", "complaints"),
    [
        (changed(b={"options": ["Trailing ", "Doubled  space", "Plain"]}), "1", {}),  # same labels, different order
        (changed(b={"options": ["Plain", "Quite new"]}), "", {"Style": "Choose one."}),
        (changed(e=None), "1", {}),
        (changed(a={"name": "Headline"}), "1", {}),
    ],
    ids=["reordered", "removed option", "removed parameter", "renamed"],
)
def test_an_app_that_has_changed_meanwhile(
    lamina_door: SandboxDoor, browser: Browser, change: dict[str, Any], style_is: str, complaints: dict[str, str]
) -> None:
    app = known(lamina_door, EVERYTHING)
    form = browser.open(app).set("p0", "typed").set("p1", "1").set("p4", "1").attach("p2", png())
    lamina_door.control("apps", app=change)
    catalog.refresh_app(app.pk)

    page = browser.refused(form)

    assert CHANGED in [e.words for e in page.find(css="notice")]
    assert not Run.objects.exists()
    kept = Form.on(page.html)
    assert (kept.get("p0"), kept.get("p1"), len(kept.all("p2_kept"))) == ("typed", style_is, 1)
    if complaints:
        assert errors_of(browser.refused(kept)) == complaints
        return
    browser.press(kept)
    work_until(is_at_rest)
    [record] = lamina_door.runs
    assert record["inputs"]["Style"] == "Doubled  space"  # the option is found by its label, whatever its position


@pytest.mark.parametrize("version", ["", "0123456789abcdef", "of another app"])
def test_an_unknown_version(lamina_door: SandboxDoor, browser: Browser, version: str) -> None:
    """If the form's version is unknown, the fields' positions could mean anything, so no run is started."""
    app, other = known(lamina_door, EVERYTHING), known(lamina_door, NOTE)
    assert other.schema is not None
    form = browser.open(app).set("p0", "typed").set("p1", "1").attach("p2", png())

    page = browser.refused(form.set("schema", other.schema.version if version == "of another app" else version))

    assert CHANGED in [e.words for e in page.find(css="notice")]
    assert Form.on(page.html).get("p0") == "typed"
    assert not Run.objects.exists()


def test_a_change_the_portal_does_not_know_of(lamina_door: SandboxDoor, browser: Browser) -> None:
    """Lamina's refusal is shown next to its field, and the form is read again."""
    app = known(lamina_door, EVERYTHING)
    form = browser.open(app).set("p0", "typed").set("p1", "1").attach("p2", png())
    lamina_door.control("apps", app=changed(b={"options": ["Plain", "Quite new"]}))

    run = browser.press(form)
    work_until(is_at_rest)

    page = browser.page(run.get_absolute_url())
    assert str(FAILURES["inputs"][0]) in page.words
    back = browser.page(page.first(id="run-action").attributes["href"])
    assert 'invalid option "Doubled space"' in errors_of(back)["Style"]
    assert Form.on(back.html).get("p0") == "typed"
    assert "Quite new" in back.words


def test_an_app_that_is_gone(lamina_door: SandboxDoor, browser: Browser) -> None:
    app = known(lamina_door, NOTE)
    form, late = browser.open(app).set("p0", "x"), browser.open(app).set("p0", "y")
    lamina_door._ask("DELETE", f"apps/{app.remote_id}")

    run = browser.press(form)
    work_until(is_at_rest)

    page = browser.page(run.get_absolute_url())
    assert page.first(css="run-failure-sentence").words == "Lamina no longer offers this app."
    assert page.first(id="run-action").attributes["href"] == "/apps/"
    assert App.objects.get(pk=app.pk).is_gone
    told = browser.refused(late)
    assert "Lamina no longer offers this app." in told.words
    assert browser.page("/history/").find(id=f"card-{run.public_id}")
    assert Run.objects.count() == 1
