"""Going back after Run: the form has the run's inputs again, and still makes the next version or belongs to the
preset."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from runs.models import App, Entry, Member, Output, Preset, Run, Verb
from tests.support.app_forms import fields
from tests.support.factories import make_app, make_run
from tests.support.page import Page

pytestmark = pytest.mark.django_db
OUTPUTS = [{"index": n, "label": label, "type": "image"} for n, label in enumerate(["Front", "Back"])]


@pytest.fixture
def app() -> App:
    return make_app(outputs=OUTPUTS)


@pytest.fixture
def front(bob: Member, app: App) -> Output:
    """A result that needs changes, in a run that Bob has shared."""
    run = make_run(bob, app, status="completed", shared_at=timezone.now())
    run.outputs.filter(label="Front").update(verdict="changes")
    return run.outputs.get(label="Front")


@pytest.fixture
def preset(bob: Member, app: App) -> Preset:
    return Preset.objects.create(app=app, member=bob, name="Sea", is_team=True)


def press_run(client: Client, member: Member, app: App, **sent: Any) -> Run:
    url = client.post(app.get_absolute_url(), fields(app, member, **sent)).headers["Location"]
    return Run.objects.get(public_id=url.split("/")[2])


def press_next(client: Client, member: Member, result: Output, **sent: Any) -> Run:
    begun_from = {"next": result.public_id, "from": result.run.public_id}
    return press_run(client, member, result.run.app, **{"outputs": ["0"], "p1": "typed"} | begun_from | sent)


def open_page(client: Client, url: str) -> Page:
    answer = client.get(url)
    assert answer.status_code == 200
    return Page(answer.text)


def url_of_back(client: Client, run: Run, **known: str) -> str:
    """Return the URL that the page's script opens after the user goes back."""
    return client.get(run.app.get_absolute_url(), {"sent": run.form_token, **known}).headers["Location"]


def go_back(client: Client, run: Run, **known: str) -> Page:
    return open_page(client, url_of_back(client, run, **known))


def posted(page: Page) -> dict[str, str]:
    """Return what the form was opened with, according to the hidden fields it will post."""
    inputs = page.first(id="app-form").find("input")
    given = {one.attributes.get("name", ""): one.attributes.get("value", "") for one in inputs}
    return {name: given[name] for name in ("next", "preset", "from") if name in given}


def ticked(page: Page) -> list[str]:
    boxes = page.first("fieldset", id="outputs").find("input")
    return [box.attributes["value"] for box in boxes if "checked" in box.attributes]


def prompt_in(page: Page) -> str:
    [field] = [one for one in page.first(id="app-form").walk() if one.attributes.get("name") == "p1"]
    return field.attributes.get("value", field.text)


def same_inputs_url(page: Page) -> str:
    """Return the URL of the link "Use the same inputs again", or "" if the page doesn't have this link."""
    links = [link.attributes["href"] for notes in page.find(css="app-notes") for link in notes.find("a")]
    return next((url for url in links if "from=" in url), "")


def test_the_second_run_is_a_version_too_and_the_form_says_that_there_is_one(
    as_alice: Client, alice: Member, front: Output
) -> None:
    url = f"{front.run.app.get_absolute_url()}?next={front.public_id}"
    first_page = open_page(as_alice, url)
    assert not first_page.find(css="next-newer")
    first = press_next(as_alice, alice, front)

    page = go_back(as_alice, first)

    panel = page.first("section", css="next-version")
    assert "version 3 of Front" in panel.words
    assert "Version 2" in panel.first(css="next-newer").words
    assert posted(page) == {"next": front.public_id, "from": front.run.public_id}
    assert "typed" in prompt_in(page)
    second = press_next(as_alice, alice, front)
    for run, number in [(first, 2), (second, 3)]:
        assert [(o.line_id, o.number) for o in run.outputs.all()] == [(front.pk, number)]
        assert run.parent == front.run
    assert posted(go_back(as_alice, second)) == posted(page)


def test_the_form_for_another_result_of_the_same_run_says_nothing(
    as_alice: Client, alice: Member, front: Output
) -> None:
    back, app = front.run.outputs.get(label="Back"), front.run.app.get_absolute_url()
    press_next(as_alice, alice, front)
    assert same_inputs_url(open_page(as_alice, f"{app}?next={front.public_id}"))
    page = open_page(as_alice, f"{app}?next={back.public_id}")
    assert "Your run has started" not in page.words
    assert not same_inputs_url(page)


def test_the_ticked_results_are_those_of_the_run(as_alice: Client, alice: Member, front: Output) -> None:
    first = press_next(as_alice, alice, front, outputs=["0", "1"])
    assert ticked(go_back(as_alice, first)) == ["0", "1"]


def test_the_browser_knows_the_result_if_the_run_made_no_version_of_it(
    as_alice: Client, alice: Member, front: Output
) -> None:
    first = press_next(as_alice, alice, front, outputs=["1"])
    assert "next" not in posted(go_back(as_alice, first))
    page = go_back(as_alice, first, next=front.public_id)
    assert (posted(page)["next"], ticked(page)) == (front.public_id, ["1"])


def test_the_result_is_one_whose_next_form_makes_all_the_versions(
    as_alice: Client, alice: Member, front: Output
) -> None:
    """The form was opened for the result Back, which doesn't need changes; the run also made Front, which does."""
    back = front.run.outputs.get(label="Back")
    first = press_next(as_alice, alice, back, outputs=["0", "1"])
    assert {o.line_id for o in first.outputs.all()} == {front.pk, back.pk}
    assert posted(go_back(as_alice, first))["next"] == back.public_id


def test_the_second_run_still_has_the_preset_and_can_update_it(
    as_bob: Client, bob: Member, app: App, preset: Preset
) -> None:
    first = press_run(as_bob, bob, app, preset=preset.public_id, p1="typed")

    url = url_of_back(as_bob, first)
    page = open_page(as_bob, url)
    begun_from: dict[str, Any] = posted(page)

    assert begun_from == {"preset": preset.public_id, "from": first.public_id}
    assert "typed" in prompt_in(page)
    assert "preset-update" in [button.attributes.get("value") for button in page.find("button")]
    as_bob.post(f"/drafts/{app.public_id}/", fields(app, bob, p1="more", **begun_from))
    for reopened in (open_page(as_bob, url), open_page(as_bob, app.get_absolute_url())):
        assert posted(reopened)["preset"] == preset.public_id
        assert "more" in prompt_in(reopened)
    second = press_run(as_bob, bob, app, p1="typed", **begun_from)
    assert (second.preset, second.parent) == (preset, first)


def test_without_scripts_the_link_to_the_same_inputs_keeps_both(
    as_alice: Client, alice: Member, front: Output, preset: Preset
) -> None:
    app = front.run.app
    for query, sent in [(f"next={front.public_id}", {}), (f"preset={preset.public_id}", {"next": "", "from": ""})]:
        run = press_next(as_alice, alice, front, **sent, **({"preset": preset.public_id} if sent else {}))
        page = open_page(as_alice, f"{app.get_absolute_url()}?{query}")
        assert "typed" not in prompt_in(page)

        url = same_inputs_url(page)

        assert url == url_of_back(as_alice, run)
        assert query in url
        filled = open_page(as_alice, url)
        assert "typed" in prompt_in(filled)
        assert same_inputs_url(filled) == ""  # the form already has the same inputs


def take_back(preset: Preset, front: Output) -> None:
    Preset.objects.filter(pk=preset.pk).update(is_team=False)
    Run.objects.filter(pk=front.run_id).update(shared_at=None)


def delete(preset: Preset, front: Output) -> None:
    preset.delete()
    front.run.delete()


def put_in_bin(preset: Preset, front: Output) -> None:
    preset.delete()
    Run.objects.filter(pk=front.run_id).update(deleted_at=timezone.now())


@pytest.mark.parametrize("lose", [take_back, delete, put_in_bin])
def test_what_is_gone_or_not_for_this_member_is_left_out(
    as_alice: Client, alice: Member, front: Output, preset: Preset, lose: Callable[[Preset, Output], None]
) -> None:
    app = front.run.app
    run = press_next(as_alice, alice, front, preset=preset.public_id)
    before = url_of_back(as_alice, run)
    assert posted(open_page(as_alice, before)).keys() == {"next", "preset", "from"}

    lose(preset, front)

    run.refresh_from_db()
    assert url_of_back(as_alice, run, next=front.public_id) == f"{app.get_absolute_url()}?from={run.public_id}"
    page = open_page(as_alice, before)  # a tab opened before they were lost
    assert posted(page) == {"from": run.public_id}
    assert "typed" in prompt_in(page)


def test_an_admin_who_opens_the_inputs_of_a_private_run_this_way_is_recorded(
    as_admin: Client, alice: Member, front: Output
) -> None:
    private = make_run(alice, front.run.app, status="completed")
    as_admin.get(front.run.app.get_absolute_url(), {"next": front.public_id, "from": private.public_id})
    assert Entry.objects.get(verb=Verb.RUN_OPENED).object_id == private.public_id
