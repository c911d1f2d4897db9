"""Everyone sees an app's page with their own draft, presets, runs, language and role, and nothing of another reader's,
although forms with the same questions share a class."""

import pytest
from django.test import Client
from django.utils.translation import gettext, override

from runs.launching import drafts
from runs.models import App, AppRule, Draft, FieldRule, Member, Preset
from runs.schema_forms.answers import Answer, load_answers
from tests.support.app_forms import fields, token_in
from tests.support.factories import PICTURE, PROMPT, STYLE, make_app, make_run, make_schema
from tests.support.page import Page

pytestmark = pytest.mark.django_db


def write(member: Member, app: App, words: str) -> None:
    answers = [Answer("Prompt", "", "", "text", words, is_default=False)]
    drafts.save_draft(Draft(member=member, app=app, answers=answers))


def fields_of(page: str) -> str:
    return page.partition('class="form-main"')[2].partition('class="form-side"')[0]


def opened(client: Client, app: App, query: str = "") -> str:
    answer = client.get(f"{app.get_absolute_url()}{query}")
    assert answer.status_code == 200
    return answer.text


def test_what_one_person_has_is_on_nobody_elses_page(
    as_alice: Client, as_bob: Client, as_admin: Client, alice: Member, bob: Member
) -> None:
    app = make_app(parameters=[STYLE, PROMPT, PICTURE])
    empty = opened(as_bob, app)
    write(alice, app, "the secret prompt")
    own = [{"name": "Prompt", "key": "", "id": "", "type": "text", "value": "in the preset", "is_default": False}]
    preset = Preset.objects.create(app=app, member=alice, name="Alice's own", answers=load_answers(own))
    run = make_run(alice, app, status="completed", title="Alice's run")
    Member.objects.filter(pk=alice.pk).update(name="Alice Ashe", language="de")

    for _ in range(2):  # the second time, the form's class is in the cache
        hers = opened(as_alice, app)
        assert "the secret prompt" in hers
        assert "Alice&#x27;s own" in hers
        assert "Alice&#x27;s run" in hers
        assert 'lang="de"' in hers
        assert "in the preset" in opened(as_alice, app, f"?preset={preset.public_id}")
        for client in (as_bob, as_admin):
            page = opened(client, app)
            for private in ("secret", "Alice", "preset-name", run.public_id, preset.public_id, 'lang="de"'):
                assert private not in page
    assert fields_of(opened(as_bob, app)) == fields_of(empty)


def test_each_page_has_tokens_of_its_own(as_alice: Client, as_bob: Client) -> None:
    app = make_app()
    pages = [opened(client, app) for client in (as_alice, as_bob, as_alice)]
    assert len({token_in(page) for page in pages}) == 3
    assert len({page.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0] for page in pages}) == 3


def test_each_reader_has_their_own_language(as_alice: Client, as_bob: Client, alice: Member) -> None:
    app = make_app(parameters=[STYLE, PROMPT, {**PICTURE, "default": None}])
    english = opened(as_bob, app)
    Member.objects.filter(pk=alice.pk).update(language="de")
    german = opened(as_alice, app)
    with override("de"):
        assert gettext("Choose a picture") in german
        assert gettext("Reset form") in german
    assert "Choose a picture" not in german
    assert "Choose a picture" in english
    assert "Choose a picture" in opened(as_bob, app)


def test_a_changed_form_or_rule_is_seen_at_once(as_alice: Client, as_bob: Client) -> None:
    app = make_app(parameters=[STYLE, PROMPT])
    assert "Prompt" in opened(as_alice, app)

    app.schema = make_schema(app, [STYLE, {**PROMPT, "name": "Idea"}])
    app.save()
    page = opened(as_bob, app)
    assert "Idea" in page
    assert "Prompt" not in page

    AppRule.objects.create(app=app)
    rule = FieldRule.objects.create(app=app, name="Idea", label="Your idea", help="In a few words")
    assert "Your idea" in opened(as_alice, app)
    FieldRule.objects.filter(pk=rule.pk).update(mode="locked", value="A quiet sea", label="")
    for client in (as_alice, as_bob):
        page = opened(client, app)
        assert "A quiet sea" in page
        assert "Your idea" not in page
    FieldRule.objects.filter(pk=rule.pk).delete()
    assert "A quiet sea" not in opened(as_alice, app)


def test_each_role_sees_its_own_bar_and_form(
    as_alice: Client, as_admin: Client, as_charlie: Client, charlie: Member
) -> None:
    app = make_app()
    Member.objects.filter(pk=charlie.pk).update(role="viewer")
    for _ in range(2):
        admins, makers, viewers = (opened(client, app) for client in (as_admin, as_alice, as_charlie))
        assert 'href="/manage/"' in admins
        assert 'href="/manage/"' not in makers + viewers
        assert 'id="app-form"' in makers
        assert 'id="app-form"' not in viewers


def test_an_error_is_shown_only_where_it_was_made(as_alice: Client, as_bob: Client, alice: Member) -> None:
    app = make_app(parameters=[STYLE, {**PROMPT, "default": None}])
    assert "Write something here." not in opened(as_alice, app)
    refused = as_alice.post(app.get_absolute_url(), fields(app, alice, p0="1", p1=""))
    assert refused.status_code == 422
    form = Page(refused.text).first("form", id="app-form")
    assert "Write something here." in refused.text
    assert "checked" in form.first("input", id="p0-1").attributes
    page = opened(as_bob, app)
    assert "Write something here." not in page
    assert "checked" not in Page(page).first("input", id="p0-1").attributes
