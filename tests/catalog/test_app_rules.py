"""What admins set for an app: who sees it, and what it is called."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from runs.catalog.app_settings import FieldSettings
from runs.catalog.save_app_settings import RulesChangedError, RulesRejectedError, reset_settings
from runs.catalog.summaries import store_summary
from runs.lamina.types import AppSummary
from runs.models import App, AppRule, Draft, Member, Preset, Run
from runs.schema_forms.answers import load_answers
from tests.catalog.lamina_search import lamina_part
from tests.support.app_settings import hidden, locked, send_form, set_rules
from tests.support.clients import client_of
from tests.support.factories import PICTURE, PROMPT, STYLE, make_app, make_kept, make_run

pytestmark = pytest.mark.django_db
GHIBLI, PIXAR = "Ghibli", "Disney / Pixar"
REMOTE_ID = "3f68debe-df0a-4fc9-bdd3-9d45a4160587"


@pytest.fixture
def app() -> App:
    return make_app(parameters=[STYLE, PROMPT, PICTURE], remote_id=REMOTE_ID, starred_at=timezone.now())


# --- Who sees it (A1) -------------------------------------------------------------------------------------------------
def everything_about(app: App, run: Run, preset: Preset, result: str) -> dict[str, str]:
    """Return the URLs of the app's pages, by name. People the app is hidden from can't open any of them."""
    return {
        "form": app.get_absolute_url(),
        "form from a run": f"{app.get_absolute_url()}?from={run.public_id}",
        "form of a preset": preset.get_absolute_url(),
        "news": f"/apps/{app.public_id}/news/",
        "cost": f"/apps/{app.public_id}/cost/",
        "library": f"/library/?app={app.public_id}&field=p2",
        "new preset": f"/presets/new/?app={app.public_id}",
        "new preset from a run": f"/presets/new/?from={run.public_id}",
        "preset": f"/presets/{preset.public_id}/",
    }


@pytest.mark.parametrize("rule", [{"is_hidden": True}, {"roles": ["approver"]}], ids=["hidden", "for others"])
def test_a_hidden_app_is_nowhere_and_its_runs_stay(
    as_alice: Client, as_admin: Client, alice: Member, admin_member: Member, app: App, rule: dict[str, Any]
) -> None:
    run = make_run(alice, app, status="completed")
    result = make_kept(run).output
    answers = [{"name": "Prompt", "key": "prompt_text", "id": "p-1", "type": "text", "value": "a fox at sea"}]
    preset = Preset.objects.create(app=app, member=alice, name="Fox", answers=load_answers(answers))
    Draft.objects.create(member=alice, app=app, answers=load_answers(answers))
    pages = everything_about(app, run, preset, result.public_id)
    lists = {
        "home": "/",
        "apps": "/apps/",
        "search": "/apps/?q=cartoonify",
        "kind": "/apps/?makes=image",
        "use in": f"/results/{result.public_id}/use/",
    }
    assert {name for name, url in lists.items() if app.public_id in as_alice.get(url).text} == set(lists)
    assert {as_alice.get(url, headers={"HX-Request": "true"}).status_code for url in pages.values()} <= {200, 204}

    set_rules(app, admin_member, **rule)

    for name, url in lists.items():
        text = as_alice.get(url).text
        assert app.public_id not in text, name
        assert "a fox at sea" not in text, name
    for name, url in pages.items():
        assert as_alice.get(url, headers={"HX-Request": "true"}).status_code == 404, name
    posts = [app.get_absolute_url(), f"/drafts/{app.public_id}/", f"/drafts/{app.public_id}/restore/"]
    posts += [f"/apps/{app.public_id}/star/", "/uploads/"]
    assert {as_alice.post(url, {"app": app.public_id, "field": "p2", "on": "1"}).status_code for url in posts} == {404}
    assert as_alice.post(lists["use in"], {"app": app.public_id}).status_code == 404
    for url in (run.get_absolute_url(), result.get_absolute_url(), "/history/", f"/compare/?r={run.public_id}"):
        page = as_alice.get(url)
        assert page.status_code == 200
        assert "Cartoonify!" in page.text
        assert app.get_absolute_url() not in page.text, url  # no page links to the hidden app's page
    again = as_alice.post(f"/runs/{run.public_id}/again/", {"token": "x"})
    assert again.status_code == 422
    assert "This app is no longer available to you." in again.text
    assert as_admin.get(app.get_absolute_url()).status_code == 200
    assert (app.get_absolute_url() in as_admin.get("/apps/").text) == ("roles" in rule)


def test_an_app_for_some_roles_is_shown_to_them(make_member: Callable[..., Member], admin_member: Member) -> None:
    app = make_app()
    set_rules(app, admin_member, roles=["approver", "viewer"])

    shown = {role for role in Member.Role.values if sees(make_member(f"some-{role}", role=role), app)}

    assert shown == {"approver", "viewer", "admin"}
    set_rules(app, admin_member, roles=["viewer", "maker", "approver"])
    assert AppRule.objects.get().shown_to == ""  # empty means all roles
    set_rules(app, admin_member, roles=["admin"])
    assert not sees(make_member("dora"), app)


def sees(member: Member, app: App) -> bool:
    statuses = {client_of(member).get(app.get_absolute_url()).status_code}
    statuses.add(200 if app in App.objects.open_to(member) else 404)
    statuses.add(200 if App.objects.get(pk=app.pk).is_open_to(member) else 404)
    assert len(statuses) == 1, "the rule for rows and the one for lists differ"
    return statuses == {200}


@pytest.mark.django_db(transaction=True)
def test_lamina_does_not_suggest_a_hidden_app(as_alice: Client, admin_member: Member, beyond: str) -> None:
    assert "Dental advert" in lamina_part(as_alice, "dentist")
    app = App.objects.get(remote_id=beyond)

    set_rules(app, admin_member, is_hidden=True)

    assert "Dental advert" not in lamina_part(as_alice, "dentist")
    assert "This app isn&#x27;t available to you." in lamina_part(as_alice, beyond)


# --- Words ------------------------------------------------------------------------------------------------------------
def test_the_admins_words_stay_when_lamina_sends_its_own(as_alice: Client, admin_member: Member, app: App) -> None:
    App.objects.filter(pk=app.pk).update(remote_name=app.name, remote_description="Turns a photo into a cartoon.")
    set_rules(app, admin_member, name="Comic me", line="Only for the spring campaign.")

    store_summary(AppSummary(app_id=app.remote_id, name="Cartoonify 2", description="Now with colours."))
    send_form(app, [STYLE, PROMPT, PICTURE], name="Cartoonify 3", description="Now with more colours.")

    app.refresh_from_db()
    assert (app.name, app.description) == ("Comic me", "Only for the spring campaign.")
    for words in ("comic", "spring", "cartoonify 3", "colours"):
        assert app.public_id in as_alice.get("/apps/", {"q": words}).text, words
    reset_settings(app, admin_member, AppRule.objects.get().version, timezone.now())
    app.refresh_from_db()
    assert (app.name, app.description) == ("Cartoonify 3", "Now with more colours.")
    assert "comic" not in app.search_text


def test_of_two_admins_the_second_is_told(admin_member: Member, app: App) -> None:
    set_rules(app, admin_member, version=0, name="First")

    with pytest.raises(RulesChangedError):
        set_rules(app, admin_member, version=0, name="Second", p0=locked(PIXAR))

    app.refresh_from_db()
    assert app.name == "First"
    assert not app.field_rules.exists()


def test_a_form_that_lamina_changes_while_rules_are_saved_is_noticed(admin_member: Member, app: App) -> None:
    """Posted fields are named by position, so a rule could otherwise be saved for the wrong field."""
    opened = App.objects.select_related("schema").get(pk=app.pk)
    send_form(app, [PROMPT, STYLE, PICTURE])

    with pytest.raises(RulesChangedError):
        set_rules(app, admin_member, opened=opened, p0=locked(PIXAR))

    assert not app.field_rules.exists()


def test_words_that_lamina_sends_while_rules_are_saved_stay(admin_member: Member, app: App) -> None:
    send_form(app, [STYLE, PROMPT, PICTURE])
    opened = App.objects.select_related("schema").get(pk=app.pk)
    send_form(app, [STYLE, PROMPT, PICTURE], name="Cartoonify 2")

    set_rules(app, admin_member, opened=opened, group="Print")

    app.refresh_from_db()
    assert (app.name, app.remote_name) == ("Cartoonify 2", "Cartoonify 2")


@pytest.mark.parametrize("act", ["save", "reset"])
def test_the_app_is_locked_before_its_rules(admin_member: Member, app: App, act: str) -> None:
    """`store_detail` also locks the app before its rules; if the order differed, the two could deadlock on
    PostgreSQL."""
    set_rules(app, admin_member, p0=locked(PIXAR))
    opened = App.objects.select_related("schema").get(pk=app.pk)
    with CaptureQueriesContext(connection) as found:
        if act == "save":
            set_rules(app, admin_member, version=1, opened=opened)
        else:
            reset_settings(opened, admin_member, 1, timezone.now())
    first = next(query["sql"] for query in found if query["sql"].startswith(("SELECT", "UPDATE", "INSERT")))
    assert f'FROM "{App._meta.db_table}"' in first


@pytest.mark.parametrize(
    ("field", "edit", "words"),
    [
        ("p0", hidden(), "no default"),  # (A5)
        ("p0", locked(), "no default"),
        ("p0", locked("Cubism"), "listed options"),
        ("p0", FieldSettings(options=["Cubism"]), "at least one"),
        ("p1", FieldSettings(label="x" * 201), "200"),
        ("p1", FieldSettings(help="x" * 1001), "1,000"),
        ("name", "x" * 201, "200"),
        ("house_rules", "x" * 5001, "5,000"),
    ],
)
def test_what_cannot_be_saved_says_why(admin_member: Member, app: App, field: str, edit: Any, words: str) -> None:
    with pytest.raises(RulesRejectedError) as rejected:
        set_rules(app, admin_member, group="Kept", **{field: edit})

    assert set(rejected.value.errors) == {field}
    assert words in rejected.value.errors[field]
    assert not AppRule.objects.filter(group="Kept").exists()


def test_fields_that_look_the_same_can_have_no_rule(admin_member: Member) -> None:
    twins = [{"name": "Text", "type": "text", "default": ""}, {"name": "Text", "type": "text", "default": ""}]

    with pytest.raises(RulesRejectedError, match="same name"):
        set_rules(make_app(parameters=twins), admin_member, p1=locked("brand"))
