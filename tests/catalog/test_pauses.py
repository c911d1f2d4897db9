"""Rules stay correct when Lamina changes an app's form; where they can't, the app is paused and admins are told."""

from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from runs.catalog.app_settings import FieldSettings, lost_rules
from runs.catalog.save_app_settings import RulesRejectedError
from runs.models import App, AppRule, Entry, Incident, Member, Notice
from runs.models.messages import Message
from runs.notices.notice_text import path_of
from runs.words.messages import say
from tests.support.app_settings import hidden, locked, send_form, set_rules
from tests.support.factories import PICTURE, PROMPT, make_app, make_stored
from tests.support.page import Page

pytestmark = pytest.mark.django_db
BLUE = {"key": "hue", "id": "h-1", "name": "Hue", "type": "options", "options": ["red", "blue"], "default": "red"}
CHANGES: dict[str, tuple[list[dict[str, Any]], str]] = {
    "a field is new": ([PROMPT, BLUE], ""),
    "another is gone": ([BLUE], ""),
    "its name changes": ([{**BLUE, "name": "Colour"}], ""),
    "its id and name change": ([{**BLUE, "id": "h-9", "name": "Colour"}], ""),
    "its key and name change": ([{**BLUE, "key": "tint", "name": "Colour"}], ""),
    "only the name stays": ([{**BLUE, "key": "tint", "id": "h-9"}], ""),
    "another option is gone": ([{**BLUE, "options": ["blue"]}], ""),
    "it becomes a text": ([{**BLUE, "type": "text", "options": None}], ""),
    "its option is gone": ([{**BLUE, "options": ["red"]}], "rule_value_gone"),
    "it takes a file": ([{**BLUE, "type": "url", "options": None}], "rule_value_gone"),
    "its name is that of two": ([{**BLUE, "key": k, "id": k} for k in ("a", "b")], "rule_unclear"),
    "its key is that of two": ([{**BLUE, "id": i, "name": i} for i in ("a", "b")], "rule_unclear"),
    "it is gone": ([PROMPT], ""),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_rule_survives_what_lamina_changes_or_pauses_the_app(
    as_alice: Client, as_admin: Client, admin_member: Member, change: str
) -> None:
    app = make_app(parameters=[BLUE, PROMPT])
    set_rules(app, admin_member, p0=locked("blue"))
    parameters, problem = CHANGES[change]

    send_form(app, parameters)

    assert app.field_rules.get().value == "blue"  # no rule is lost
    rule = AppRule.objects.get()
    assert (rule.pause.code, rule.is_paused) == (problem, bool(problem))
    page = as_alice.get(app.get_absolute_url())
    assert page.status_code == 200
    assert ("This app is paused until an admin" in page.text) == bool(problem)
    if not problem:
        locked_words = [e.words for e in Page(page.text).find(css="locked-value")]
        assert locked_words == ([] if change == "it is gone" else ["blue"])
    is_lost = change in ("it is gone", "its name is that of two", "its key is that of two")
    assert bool(lost_rules(App.objects.get(pk=app.pk))) == is_lost
    assert Notice.objects.filter(member=admin_member).count() == bool(problem)
    assert Incident.objects.filter(kind="app").count() == bool(problem)
    assert Entry.objects.filter(verb="app.paused").count() == bool(problem)

    send_form(app, parameters)  # the same form again: nobody is notified twice
    assert Notice.objects.filter(member=admin_member).count() == bool(problem)
    send_form(app, [BLUE, PROMPT])  # the original form again
    assert not AppRule.objects.get().is_paused
    assert "This app is paused" not in as_alice.get(app.get_absolute_url()).text


def test_a_hidden_field_whose_default_goes_pauses_the_app(admin_member: Member) -> None:
    app = make_app(parameters=[PICTURE, PROMPT])
    set_rules(app, admin_member, p0=hidden())

    send_form(app, [{**PICTURE, "default": None}, PROMPT])

    assert say(AppRule.objects.get().pause) == "“Photo” has no value, and the app no longer has a default for it."
    set_rules(app, admin_member, p0=hidden(file=make_stored()))  # this fixes the problem
    assert not AppRule.objects.get().is_paused


@pytest.mark.parametrize(
    ("before", "after", "value", "is_paused"),
    [
        (BLUE, {**BLUE, "default": "blue"}, "red", False),
        ({**PROMPT, "default": "a fox"}, {**PROMPT, "default": "a cat"}, "a fox", False),
        (PROMPT, {**PROMPT, "default": "a cat"}, "", True),  # an empty value can't be sent
    ],
    ids=["option", "text", "no text"],
)
def test_a_field_locked_without_a_value_keeps_the_default_it_had(
    admin_member: Member, before: dict[str, Any], after: dict[str, Any], value: str, is_paused: bool
) -> None:
    app = make_app(parameters=[before])
    set_rules(app, admin_member, p0=locked())

    send_form(app, [after])

    assert app.field_rules.get().value == value
    assert AppRule.objects.get().is_paused == is_paused


def test_a_field_whose_default_is_no_option_needs_a_value_to_be_locked(admin_member: Member) -> None:
    with pytest.raises(RulesRejectedError, match="no default"):
        set_rules(make_app(parameters=[{**BLUE, "default": ""}]), admin_member, p0=locked())


def test_a_paused_app_does_not_say_press_run(as_alice: Client, admin_member: Member) -> None:
    app = make_app(parameters=[BLUE])
    set_rules(app, admin_member, p0=hidden("blue"))
    assert "Nothing to fill in. Press Run." in as_alice.get(app.get_absolute_url()).text

    send_form(app, [{**BLUE, "options": ["red"]}])

    page = as_alice.get(app.get_absolute_url()).text
    assert "This app is paused until an admin" in page
    assert "Nothing to fill in" not in page


def test_when_no_allowed_option_is_left_the_app_is_paused(as_admin: Client, admin_member: Member) -> None:
    app = make_app(parameters=[BLUE, PROMPT])
    set_rules(app, admin_member, p0=FieldSettings(options=["blue"]))

    send_form(app, [{**BLUE, "options": ["red", "green"]}, PROMPT])

    assert AppRule.objects.get().pause == Message("rule_options_gone", {"field": "Hue"})
    assert "any of the options that are allowed for “Hue”" in as_admin.get(app.get_absolute_url()).text
    inbox = as_admin.get("/inbox/")
    assert "is paused because its rules no longer match its form" in inbox.text
    place = path_of(Notice.objects.get())
    assert f'href="{escape(place)}"' in inbox.text
    assert app.public_id in as_admin.get(place).text


def test_a_locked_picture_that_the_field_no_longer_takes_pauses_the_app(admin_member: Member) -> None:
    app = make_app(parameters=[PICTURE])
    set_rules(app, admin_member, p0=locked(file=make_stored()))

    send_form(app, [{**PICTURE, "accept": ["video"]}])

    assert AppRule.objects.get().pause.code == "rule_value_gone"
