"""The admin's rules always win, however a run's inputs arrive."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from runs.catalog.app_settings import FieldSettings
from runs.catalog.pauses import check_pause
from runs.engine import submit
from runs.launching import drafts
from runs.models import App, Draft, Member, Preset, Run, RunInput, Upload
from runs.schema_forms.answers import Files, load_answers
from runs.sharing import guests
from tests.support.app_forms import fields, press, run_of, seen_in, token_in
from tests.support.app_settings import hidden, locked, set_rules
from tests.support.cartoonify import known_app
from tests.support.cartoonify import press as press_cartoonify
from tests.support.factories import PICTURE, PROMPT, STYLE, make_app, make_kept, make_run, make_schema, make_stored
from tests.support.page import Page, errors_of
from tests.support.sandbox_door import SandboxDoor

pytestmark = pytest.mark.django_db
GHIBLI, PIXAR = "Ghibli", "Disney / Pixar"
MISSING_WAYS = ("csv", "api", "refine")  # required by point A2, but not implemented in the portal yet


def answers(app: App) -> list[dict[str, Any]]:
    """Return answers as stored before there were any rules: Ghibli, 4:3."""
    assert app.schema is not None
    values: list[Any] = [{"uploads": []}, GHIBLI, "4:3"]
    handles = [{word: p.get(word) or "" for word in ("name", "key", "id", "type")} for p in app.schema.parameters]
    return [h | {"value": value, "is_default": not n} for n, (h, value) in enumerate(zip(handles, values, strict=True))]


def send(client: Client, app: App, query: str = "", **posted: Any) -> Any:
    """Open the form and send everything it contains, plus `posted` for fields that aren't in it."""
    page = Page(client.get(f"{app.get_absolute_url()}{query}").text)
    form = page.first("form", id="app-form")
    assert not form.find(id="p1")
    assert not form.find(id="p2-field")
    held = {e.attributes["name"]: e.attributes.get("value", "") for e in form.find("input") if "name" in e.attributes}
    return client.post(app.get_absolute_url(), held | {"p1": "0", "p2": "1", "outputs": ["0", "1"]} | posted)


def by_form(client: Client, app: App, alice: Member, old: Run) -> None:
    assert send(client, app).status_code == 302


def by_draft(client: Client, app: App, alice: Member, old: Run) -> None:
    drafts.save_draft(Draft(member=alice, app=app, answers=load_answers(answers(app)), wanted_outputs=[0, 1]))
    assert send(client, app).status_code == 302


def by_preset(client: Client, app: App, alice: Member, old: Run) -> None:
    preset = Preset.objects.create(app=app, member=alice, name="Old", answers=load_answers(answers(app)))
    assert send(client, app, f"?preset={preset.public_id}").status_code == 302


def by_change_and_run_again(client: Client, app: App, alice: Member, old: Run) -> None:
    assert send(client, app, f"?from={old.public_id}").status_code == 302


def by_run_again(client: Client, app: App, alice: Member, old: Run) -> None:
    assert press(client, old).status_code == 302


def by_next_version(client: Client, app: App, alice: Member, old: Run) -> None:
    assert send(client, app, f"?next={old.outputs.all()[0].public_id}").status_code == 302


def by_use_in_another_app(client: Client, app: App, alice: Member, old: Run) -> None:
    result = make_kept(make_run(alice, make_app("Other"), status="completed")).output
    url = f"/results/{result.public_id}/use/"
    assert app.name in client.get(url).text
    assert client.post(url, {"app": app.public_id}).status_code == 302
    assert send(client, app).status_code == 302


WAYS = (by_form, by_draft, by_preset, by_change_and_run_again, by_run_again, by_next_version, by_use_in_another_app)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_lamina_receives_the_admins_values(
    sandbox: SandboxDoor,
    settings: Settings,
    as_alice: Client,
    alice: Member,
    admin_member: Member,
    way: Callable[[Client, App, Member, Run], None],
) -> None:
    settings.LAMINA_REQUESTS_PER_MINUTE = 100_000
    app = known_app()
    old = press_cartoonify(alice, app)
    old.outputs.update(status="completed")
    Run.objects.filter(pk=old.pk).update(status="completed", outputs_ready=2, finished_at=timezone.now(), due_at=None)
    set_rules(app, admin_member, p1=locked(PIXAR), p2=hidden("16:9"))

    way(as_alice, app, alice, old)

    made = Run.objects.filter(app=app).latest("pk")
    assert made != old
    assert dict(made.inputs.values_list("name", "value"))["Style"] == PIXAR
    submit.submit_run(made.pk)
    assert sandbox.runs[-1]["inputs"] | {"Upload": ""} == {"Style": PIXAR, "Aspect Ratio": "16:9", "Upload": ""}
    assert dict(old.inputs.values_list("name", "value"))["Style"] == GHIBLI  # A3: the old run keeps its original value


@pytest.fixture
def app() -> App:
    return make_app(parameters=[STYLE, PROMPT, {**PICTURE, "default": None}])


def test_a_hidden_value_is_shown_to_no_one_but_admins(
    as_alice: Client, as_admin: Client, admin_member: Member, alice: Member, app: App, photo: Upload
) -> None:
    set_rules(app, admin_member, p0=hidden(PIXAR), p1=hidden("brand words"))

    run = run_of(alice, app, photo, status="completed")

    assert list(run.inputs.values_list("name", "is_hidden")) == [("Style", True), ("Prompt", True), ("Photo", False)]
    assert [line["name"] for line in run.summary] == ["Photo"]
    assert "brand words" not in run.search_text
    output = run.outputs.all()[0]
    assert [given.name for given in guests.runs_with_inputs([output])[0].inputs.all()] == ["Photo"]
    assert "brand words" not in as_alice.get(run.get_absolute_url()).text
    assert "brand words" in as_admin.get(run.get_absolute_url()).text
    assert "brand words" not in as_alice.get(f"/runs/{run.public_id}/again/").text


@pytest.fixture
def old(alice: Member, app: App, photo: Upload) -> Run:
    return run_of(alice, app, photo, status="completed", shared_at=timezone.now())


def test_labels_and_help_are_the_admins_on_new_forms_and_old_runs_keep_their_own(
    as_alice: Client, admin_member: Member, app: App, old: Run
) -> None:
    set_rules(app, admin_member, name="Posters", p1=FieldSettings(label="What should it show?", help="One sentence."))

    # the app's name is part of the address, so that has changed too
    page = Page(as_alice.get(app.get_absolute_url(), follow=True).text)
    assert page.first("h1").words == "Posters"
    assert page.first("label", css="field-label").words == "What should it show?"
    assert page.first(id="p1").attributes["aria-describedby"] == "p1-help"
    assert page.first(id="p1-help").words == "One sentence."
    run_page = as_alice.get(old.get_absolute_url()).text
    assert "Cartoonify!" in run_page
    assert "Prompt" in run_page
    assert "What should it show?" not in run_page


def test_only_allowed_options_can_be_chosen(
    as_alice: Client, alice: Member, admin_member: Member, app: App, photo: Upload
) -> None:
    set_rules(app, admin_member, p0=FieldSettings(options=[PIXAR]))
    text = as_alice.get(app.get_absolute_url()).text
    page = Page(text)
    assert [choice.words for choice in page.find(css="choice")] == [PIXAR]
    held = fields(app, alice, photo, schema=page.html.partition('name="schema" value="')[2].partition('"')[0])

    refused = as_alice.post(app.get_absolute_url(), held | {"token": token_in(text)})

    assert refused.status_code == 422
    assert errors_of(Page(refused.text))["Style"] == "Choose one of the listed options."
    assert as_alice.post(app.get_absolute_url(), held | {"p0": "1"}).status_code == 302
    assert RunInput.objects.get(name="Style").value == PIXAR


def test_a_field_hidden_since_is_not_named_as_just_filled(
    as_alice: Client, alice: Member, admin_member: Member, app: App
) -> None:
    answer = {"name": "Prompt", "key": "prompt_text", "id": "p-1", "type": "text", "value": "at sea"}
    Draft.objects.create(member=alice, app=app, answers=load_answers([answer]))
    url = f"{app.get_absolute_url()}?added=p1"
    assert "is now in “Prompt”" in as_alice.get(url).text

    set_rules(app, admin_member, p1=hidden("brand words"))

    assert "is now in" not in as_alice.get(url).text


def test_a_default_that_is_not_allowed_must_be_answered(
    as_alice: Client, alice: Member, admin_member: Member, photo: Upload
) -> None:
    app = make_app(parameters=[{**STYLE, "default": GHIBLI}, PROMPT, PICTURE])
    set_rules(app, admin_member, p0=FieldSettings(options=[PIXAR]))

    page = Page(as_alice.get(app.get_absolute_url()).text)

    assert page.first(id="p0-field").attributes["aria-required"] == "true"
    assert not [e for e in page.find("input") if e.attributes.get("name") == "p0" and "checked" in e.attributes]


def test_a_form_that_was_open_while_the_rules_changed_is_shown_again(
    as_alice: Client, alice: Member, admin_member: Member, app: App, photo: Upload
) -> None:
    open_form = fields(app, alice, photo)
    set_rules(app, admin_member, p0=locked(PIXAR))

    answer = as_alice.post(app.get_absolute_url(), open_form)

    assert answer.status_code == 422
    assert "form has changed since you opened it" in answer.text
    assert "at sea" in answer.text
    assert not Run.objects.exists()
    news = as_alice.get(f"/apps/{app.public_id}/news/?schema={open_form['schema']}", headers={"HX-Request": "true"})
    assert news.status_code == 200


def test_run_the_same_again_names_what_the_rules_change(
    as_alice: Client, admin_member: Member, app: App, old: Run
) -> None:
    set_rules(app, admin_member, p0=locked(GHIBLI), p1=FieldSettings(label="Words"))
    assert "An admin has since set" not in as_alice.get(f"/runs/{old.public_id}/again/").text  # same inputs

    set_rules(app, admin_member, p0=locked(PIXAR, label="Look"))
    text = as_alice.get(f"/runs/{old.public_id}/again/").text

    assert "An admin has since set a value for “Look”. That value will be used instead." in text
    lines = Page(text).first(css="run-again-lines").words
    assert PIXAR in lines
    assert GHIBLI not in lines


def test_an_option_that_is_no_longer_allowed_leads_to_the_form(
    as_alice: Client, admin_member: Member, app: App, old: Run
) -> None:
    set_rules(app, admin_member, p0=FieldSettings(options=[PIXAR]))

    answer = press(as_alice, old)

    assert answer.status_code == 422
    assert "Check the values in the form." in answer.text
    assert (
        "Your answer for “Style” is no longer valid. Choose again."
        in as_alice.get(f"{app.get_absolute_url()}?from={old.public_id}").text
    )


@pytest.mark.parametrize("rule", [locked(PIXAR), FieldSettings(options=[PIXAR])], ids=["locked", "not allowed"])
def test_a_retry_never_sends_anything_else_than_the_first_run(
    as_alice: Client, admin_member: Member, app: App, old: Run, rule: FieldSettings
) -> None:
    old.outputs.filter(position=0).update(status="error")
    Run.objects.filter(pk=old.pk).update(outputs_failed=1, outputs_ready=1)
    token = token_in(as_alice.get(old.get_absolute_url()).text.partition("retry-failed/")[2])
    set_rules(app, admin_member, p0=rule)

    page = as_alice.get(old.get_absolute_url()).text
    as_alice.post(f"/runs/{old.public_id}/retry-failed/", {"token": token})

    assert "An admin has changed the rules for “Style” since this run." in page
    assert f"?from={old.public_id}" in page.partition('id="run-retry"')[2].partition("</form>")[0]
    assert Run.objects.count() == 1

    set_rules(app, admin_member, p0=locked(GHIBLI))  # locked to the value that the run had
    as_alice.post(f"/runs/{old.public_id}/retry-failed/", {"token": token})
    assert Run.objects.count() == 2


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"p0": locked(PIXAR)}, "Press “Leave it”, then “Change and run again”."),
        ({"p0": FieldSettings(options=[PIXAR])}, "Press “Leave it”, then “Change and run again”."),
        ({"is_hidden": True}, "This app is no longer available to you."),
        ({"p0": locked(GHIBLI)}, ""),
    ],
    ids=["locked", "not allowed", "hidden app", "locked to the same"],
)
def test_a_doubtful_start_is_not_sent_again_against_the_rules(
    as_alice: Client, alice: Member, admin_member: Member, app: App, photo: Upload, rule: dict[str, Any], words: str
) -> None:
    run = run_of(alice, app, photo, status="checking", finished_at=None)
    set_rules(app, admin_member, **rule)

    page = as_alice.post(f"{run.get_absolute_url()}start-again/", follow=True)

    assert words in page.text
    run.refresh_from_db()
    assert run.status == ("checking" if words else "starting")


def test_a_preset_of_a_run_leaves_out_what_the_admin_set(
    as_alice: Client, admin_member: Member, app: App, old: Run
) -> None:
    set_rules(app, admin_member, p0=locked(GHIBLI), p1=hidden("brand words"))

    page = as_alice.get(f"/presets/new/?from={old.public_id}").text
    as_alice.post(f"/presets/new/?from={old.public_id}", {"name": "Mine"})

    assert "at sea" not in page
    assert [answer.name for answer in Preset.objects.get().answers] == ["Photo"]


def test_a_locked_picture_is_everybodys(
    as_alice: Client, as_bob: Client, bob: Member, admin_member: Member, app: App, old: Run
) -> None:
    logo = make_stored((60, 20))
    set_rules(app, admin_member, p2=locked(file=logo))

    text = as_bob.get(app.get_absolute_url()).text
    page = Page(text)
    picture = page.first(css="locked-picture").first("img").attributes["src"]
    assert as_bob.get(picture).status_code == 200
    assert not Upload.objects.filter(member=bob).exists()  # just viewing it doesn't give Bob an upload
    schema = text.partition('name="schema" value="')[2].partition('"')[0]
    posted = {"token": token_in(text), "schema": schema, "p0": "0", "p1": "a", "outputs": ["0", "1"]}
    pressed = [as_bob.post(app.get_absolute_url(), posted) for _ in range(2)]

    made = Run.objects.get(member=bob)
    assert {answer.headers["Location"] for answer in pressed} == {made.get_absolute_url()}  # both presses made one run
    upload = made.inputs.get(name="Photo").uploads.get()
    assert (upload.member, upload.file) == (bob, logo)
    again = Page(as_alice.get(f"/runs/{old.public_id}/again/").text)
    assert "An admin has since set a value for “Photo”" in again.words
    assert "An admin has since set" not in as_bob.get(f"/runs/{made.public_id}/again/").text
    assert press(as_alice, old).status_code == 302
    assert Run.objects.latest("pk").inputs.get(name="Photo").uploads.get().file == logo


def test_what_the_admin_set_is_nobodys_draft(as_alice: Client, alice: Member, admin_member: Member, app: App) -> None:
    set_rules(app, admin_member, p1=locked("brand words"))
    text = as_alice.get(app.get_absolute_url()).text
    schema = text.partition('name="schema" value="')[2].partition('"')[0]

    as_alice.post(f"/drafts/{app.public_id}/", {"token": token_in(text), "schema": schema, "p0": "1", "p1": "mine"})

    assert [answer.name for answer in Draft.objects.get().answers] == ["Style", "Photo"]
    assert "brand words" not in as_alice.get("/apps/").text
    set_rules(app, admin_member, p1=FieldSettings())  # the field is no longer locked
    assert "brand words" not in as_alice.get(app.get_absolute_url()).text


def test_what_people_typed_stays_while_its_field_is_locked(
    as_alice: Client, alice: Member, admin_member: Member, app: App
) -> None:
    typed = [{"name": "Prompt", "key": "prompt_text", "id": "p-1", "type": "text", "value": "a fox"}]
    preset = Preset.objects.create(app=app, member=alice, name="Fox", answers=load_answers(typed))
    Draft.objects.create(member=alice, app=app, answers=load_answers(typed))
    set_rules(app, admin_member, p1=locked("brand words"))
    text = as_alice.get(app.get_absolute_url()).text
    schema = text.partition('name="schema" value="')[2].partition('"')[0]
    opened = {"token": token_in(text), "schema": schema, "seen": seen_in(text), "preset": preset.public_id}
    posted = opened | {"p0": "1", "p1": "brand words"}

    as_alice.post(f"/drafts/{app.public_id}/", posted)
    kept = Draft.objects.get().answers
    as_alice.post(app.get_absolute_url(), posted | {"act": "preset-update"})

    preset.refresh_from_db()
    for answers in (kept, preset.answers):
        assert {a.name: a.value for a in answers if a.value != Files()} == {
            "Style": PIXAR,
            "Prompt": "a fox",
        }


def test_a_paused_app_says_so_and_keeps_what_was_typed(
    as_alice: Client, as_admin: Client, alice: Member, admin_member: Member, app: App, photo: Upload, old: Run
) -> None:
    set_rules(app, admin_member, p0=locked(PIXAR))
    App.objects.filter(pk=app.pk).update(schema=make_schema(app, [{**STYLE, "options": [GHIBLI]}, PROMPT, PICTURE]))
    app.refresh_from_db()
    check_pause(app, timezone.now())
    text = as_alice.get(app.get_absolute_url()).text
    schema = text.partition('name="schema" value="')[2].partition('"')[0]

    answer = as_alice.post(app.get_absolute_url(), fields(app, alice, photo, schema=schema))

    assert answer.status_code == 422
    assert "This app is paused until an admin checks its settings." in answer.text
    assert "at sea" in answer.text
    assert "“Style” is set to a value that the app no longer allows." in as_admin.get(app.get_absolute_url()).text
    assert press(as_alice, old).status_code == 422
    assert Run.objects.count() == 1


def test_what_lamina_says_of_a_hidden_field_is_not_lost(
    as_alice: Client, admin_member: Member, app: App, old: Run
) -> None:
    set_rules(app, admin_member, p0=locked(PIXAR), p1=hidden("brand words"))
    errors = [{"field": name, "message": f"{name} is odd."} for name in ("Style", "Prompt")]
    Run.objects.filter(pk=old.pk).update(status="failed", failure="inputs", field_errors=errors)

    text = as_alice.get(f"{app.get_absolute_url()}?from={old.public_id}").text
    page = Page(text)

    assert f'Filled in from <a href="{old.get_absolute_url()}"' in text
    assert errors_of(page) == {"Style": "Style is odd."}
    assert "Prompt: Prompt is odd." in page.first(id="errors").words
