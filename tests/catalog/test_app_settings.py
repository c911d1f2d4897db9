"""The page where admins change an app's form: what it saves, what it refuses, and that nothing typed is ever lost.

Point A12, exporting and importing all apps' rules as one file, hasn't been implemented yet.
"""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from runs.catalog import forms_app_settings
from runs.catalog.app_settings import PLAIN_FIELDS
from runs.models import App, AppRule, Entry, FieldRule, Member, Upload
from tests.support.clients import client_of
from tests.support.factories import PICTURE, PROMPT, STYLE, make_app, make_schema, make_stored
from tests.support.hostile_server import picture
from tests.support.page import Element, Page

pytestmark = pytest.mark.django_db

LOOK = {"key": "look", "name": "Look", "type": "options", "options": ["Red", "Green", "Blue"], "default": "Red"}


@pytest.fixture
def app() -> App:
    return make_app("Poster", [STYLE, PROMPT, PICTURE, LOOK], asks_review=False)


def test_what_is_saved_is_on_the_page_and_in_the_record(as_admin: Client, as_bob: Client, app: App) -> None:
    given = {
        "name": " Shop  poster ",
        "line": "For the window",
        "group": "Print",
        "house_rules": "Use **our** blue.\r\nAlways.",
        "asks": "1",
        "price": "7,5",
        "p1-label": "What it says",
        "p1-help": "At most ten words",
        "p3-mode": "locked",
        "p3-option": "2",
        "p0-allowed": ["1"],
    }
    page = _saved(as_admin, app, **given)

    assert "Saved. Your changes apply from now on." in page.html
    app.refresh_from_db()
    assert (app.name, app.description, app.asks_review, str(app.price)) == (
        "Shop poster",
        "For the window",
        True,
        "7.50",
    )
    assert (app.rule.group, app.rule.house_rules) == ("Print", "Use **our** blue.\nAlways.")
    assert _value(page, "name") == "Shop poster"
    assert _value(page, "price") == "7.5"
    assert _value(page, "p1-label") == "What it says"
    assert "locked to “Blue”" in page.html
    changes = Entry.objects.get(verb="app.shaped").changes
    assert changes["name"] == ["", "Shop poster"]
    assert changes["price"] == [None, "7.50"]
    assert changes["fields"][1]["Look · look"] == {"mode": "locked", "choice": "Blue"}
    record = Page(as_admin.get("/manage/log/", {"act": "app.shaped"}).text).first(css="log-what")
    assert {"Price: 7.5 credits", "Look: was open, now locked to “Blue”", "Prompt (Label): What it says"} <= {
        sentence.words for sentence in record.find("li")
    }
    _saved(as_admin, app, **given, seen=1, **{"p1-mode": "locked", "p1-text": "A fox"})
    _saved(as_admin, app, **given, seen=2, **{"p1-mode": "locked", "p1-text": "A hare"})
    latest, before = Page(as_admin.get("/manage/log/", {"act": "app.shaped"}).text).find(css="log-what")[:2]
    assert [sentence.words for sentence in before.find("li")] == ["Prompt: was open, now locked"]
    assert [sentence.words for sentence in latest.find("li")] == ["Fields: changed"]  # typed texts aren't recorded
    form = Page(as_bob.get(app.get_absolute_url()).text)
    assert "What it says" in form.html
    assert "At most ten words" in form.html


def test_two_fields_of_one_name_are_two_in_the_record(as_admin: Client) -> None:
    app = make_app("Poster", [PROMPT, LOOK, {**LOOK, "key": "frame"}])
    _saved(as_admin, app, **{"p1-mode": "locked", "p1-option": "1", "p2-mode": "locked", "p2-option": "2"})
    _saved(as_admin, app, seen=1, **{"p1-mode": "locked", "p1-option": "2", "p2-mode": "hidden", "p2-option": "2"})
    first, second = (entry.changes["fields"] for entry in Entry.objects.filter(verb="app.shaped").order_by("pk"))
    assert first[1].keys() == {"Look · look", "Look · frame"}
    assert {name: told["mode"] for name, told in second[1].items()} == {
        "Look · look": "locked",
        "Look · frame": "hidden",
    }


def test_who_sees_it(as_admin: Client, as_bob: Client, app: App) -> None:
    refused = _post(as_admin, app, audience="some")
    assert refused.status_code == 422
    assert "Tick at least one role" in refused.text
    _saved(as_admin, app, audience="some", role=["approver"])
    assert as_bob.get(app.get_absolute_url()).status_code == 404
    assert "Approvers" in as_admin.get(_url(app)).text
    _saved(as_admin, app, audience="hidden", seen=1)
    assert as_bob.get(app.get_absolute_url()).status_code == 404
    _saved(as_admin, app, audience="all", seen=2)
    assert as_bob.get(app.get_absolute_url()).status_code == 200


def test_a_needed_field_cannot_be_hidden_without_a_value(as_admin: Client, app: App) -> None:
    """A5: the page refuses such a rule, and keeps everything else that was typed."""
    answer = _post(as_admin, app, **{"name": "Typed", "p0-mode": "hidden", "p1-help": "Typed, too"})
    assert answer.status_code == 422
    page = Page(answer.text)
    assert "The app has no default for this field." in page.first(id="p0-error").words
    assert page.first(id="p0-field").attributes.keys() >= {"open"}
    assert _value(page, "name") == "Typed"
    assert page.first(id="p1-help").words == "Typed, too"
    assert not FieldRule.objects.exists()
    assert not AppRule.objects.exclude(version=0).exists()


def test_the_second_of_two_admins_is_told_and_loses_nothing(as_admin: Client, app: App) -> None:
    """A7: the second admin's page keeps what they typed, and says what the first one changed."""
    ana = Member.objects.create_user("ana@x.test", "a long enough password", name="Ana", role="admin")
    _saved(client_of(ana), app, **{"name": "Ana's", "p1-label": "Ana's label", "line": "Same"})

    answer = _post(as_admin, app, **{"name": "Mine", "p1-help": "My help", "line": "Same"})

    assert answer.status_code == 422
    page = Page(answer.text)
    assert "Ana changed this app while you had it open." in page.first(css="settings-notes").words
    assert _value(page, "name") == "Mine"
    assert page.first(id="p1-help").words == "My help"
    assert [note.words for note in page.find(css="settings-meanwhile")] == [
        "Currently saved: Ana's",
        "Currently saved: label “Ana's label”",
    ]
    app.refresh_from_db()
    assert app.name == "Ana's"
    _saved(as_admin, app, **{"name": "Mine", "seen": _value(page, "seen")})
    app.refresh_from_db()
    assert app.name == "Mine"


def test_a_price_set_meanwhile_stays_even_if_the_app_has_no_rules(as_admin: Client, app: App) -> None:
    opened = _value(Page(as_admin.get(_url(app)).text), "seen")
    assert not AppRule.objects.exists()
    as_admin.post(f"/manage/spending/prices/{app.public_id}/", {"price": "7.5"})

    answer = _post(as_admin, app, seen=opened, name="Poster 2")

    assert answer.status_code == 422
    assert "Currently saved: 7.5" in Page(answer.text).words
    app.refresh_from_db()
    assert (app.name, str(app.price)) == ("Poster", "7.50")


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("10000000", "10000000.00"),
        ("000000012.5", "12.50"),
        (" 7,5 ", "7.50"),
        ("0", "0.00"),
        (" ", None),
        ("10000000.01", ""),
        ("0000000012", ""),
        ("100" + " " * 30 + "1", ""),
        ("1.234", ""),
        ("1,000.50", ""),
        ("-1", ""),
        ("1e3", ""),
        ("²", ""),
        ("٣", ""),
        ("9" * 5000, ""),
    ],
)
def test_a_price_is_read_the_same_way_on_both_of_its_pages(
    as_admin: Client, app: App, typed: str, stored: str | None
) -> None:
    """The price that is stored afterwards; "" if it is refused, and none if there is no price."""
    apps = App.objects.filter(pk=app.pk)
    apps.update(price=3, estimated_at=timezone.now())
    words = "Enter a number of credits, such as 100 or 12.5, or leave the field empty."
    answers = []
    for post in (
        lambda: _post(as_admin, app, price=typed),
        lambda: as_admin.post(f"/manage/spending/prices/{app.public_id}/", {"price": typed}),
    ):
        answer = post()
        price = apps.get().price
        answers.append((answer.status_code, words in answer.text, price if price is None else str(price)))
        apps.update(price=3)
        AppRule.objects.all().delete()

    expected = (422, True, "3.00") if stored == "" else (302, False, stored)
    assert answers == [expected, expected]


def test_what_another_admin_sets_elsewhere_is_told_as_well(as_admin: Client, app: App) -> None:
    ana = Member.objects.create_user("ana@x.test", "a long enough password", name="Ana", role="admin")
    _saved(client_of(ana), app, audience="some", role=["approver"])
    client_of(ana).post(f"/manage/spending/prices/{app.public_id}/", {"price": "7.5"})
    seen = _value(Page(as_admin.get(_url(app)).text), "seen")
    assert seen == "2"  # changing only the price counts as a change, too
    client_of(ana).post("/manage/review/", {"deciders": "maker", "on": app.public_id, "app": app.public_id})

    answer = _post(as_admin, app, seen=seen, price="8")

    assert answer.status_code == 422
    page = Page(answer.text)
    assert "Ana changed this app while you had it open." in page.first(css="settings-notes").words
    assert [note.words for note in page.find(css="settings-meanwhile")] == [
        "Currently saved: Approvers",
        "Currently saved: Yes",
        "Currently saved: 7.5",
    ]


def test_a_form_that_changed_meanwhile_keeps_what_still_fits(as_admin: Client, app: App) -> None:
    """A4, A7: the posted positions now belong to different fields."""
    posted = _form(app, **{"p1-label": "What it says", "p3-mode": "locked", "p3-option": "1"})
    app.schema = make_schema(app, [LOOK, PROMPT])
    app.save()

    answer = as_admin.post(_url(app), posted)

    assert answer.status_code == 422
    page = Page(answer.text)
    assert "changed on Lamina while you had it open" in page.first(css="settings-notes").words
    assert _value(page, "p1-label") == "What it says"
    assert "locked to “Green”" in page.first(id="p0-field").words
    assert not FieldRule.objects.exists()


def test_a_stored_rule_stays_when_its_field_takes_something_else_meanwhile(as_admin: Client, app: App) -> None:
    """A4: what was posted from the older page no longer fits the field, so the rule stays as it was."""
    _saved(as_admin, app, **{"p1-mode": "locked", "p1-text": "Spring"})
    posted = _form(app, **{"seen": 1, "p1-mode": "locked", "p1-text": "Spring"})
    app.schema = make_schema(app, [STYLE, {**PROMPT, "type": "options", "options": ["Spring", "Autumn"]}])
    app.save()

    page = Page(as_admin.post(_url(app), posted).text)

    assert "locked to “Spring”" in page.first(id="p1-field").words
    checked = [e for e in page.find("input") if "checked" in e.attributes and e.attributes["name"] == "p1-mode"]
    assert [e.attributes["value"] for e in checked] == ["locked"]


def test_a_form_that_changes_during_the_save_is_told_as_well(
    as_admin: Client, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_then_changed(*given: Any) -> Any:
        posted = read_settings(*given)
        App.objects.filter(pk=app.pk).update(schema=make_schema(app, [LOOK, PROMPT]))
        return posted

    read_settings = forms_app_settings.read_settings
    monkeypatch.setattr(forms_app_settings, "read_settings", read_then_changed)

    answer = _post(as_admin, app, **{"p3-mode": "locked", "p3-option": "1"})

    assert answer.status_code == 422
    page = Page(answer.text)
    assert "changed on Lamina while you had it open" in page.first(css="settings-notes").words
    assert "changed this app" not in page.first(css="settings-notes").words  # no admin has
    assert "locked to “Green”" in page.first(id="p0-field").words
    assert not FieldRule.objects.exists()


def test_a_locked_file_stays_through_errors_and_saves(as_admin: Client, app: App) -> None:
    file = SimpleUploadedFile("logo.png", picture(), "image/png")
    refused = _post(as_admin, app, **{"p2-mode": "locked", "p2_file": file, "p0-mode": "hidden"})
    kept = _value(Page(refused.text), "p2-kept")

    page = _saved(as_admin, app, **{"p2-mode": "locked", "p2-kept": kept})

    rule = FieldRule.objects.get()
    assert rule.file is not None
    assert rule.file.public_id == kept == _value(page, "p2-kept")
    assert "logo.png" in page.first(id="p2-field").words


def test_files_of_others_cannot_be_locked(as_admin: Client, bob: Member, app: App) -> None:
    """Knowing a file's id isn't enough to use the file in a rule, because people who may change an app's form aren't
    allowed to see every upload."""
    theirs = Upload.objects.create(member=bob, file=make_stored(), status="ready", name="theirs.png")
    assert theirs.file is not None
    _saved(as_admin, app, **{"p2-mode": "locked", "p2-kept": theirs.file.public_id})
    assert not FieldRule.objects.exclude(file=None).exists()


def test_a_rule_stays_when_its_field_is_gone_until_an_admin_deletes_it(as_admin: Client, app: App) -> None:
    """A4: if a rule's field is gone, the page lists the rule until an admin deletes it."""
    _saved(as_admin, app, **{"p1-label": "What it says"})
    app.schema = make_schema(app, [LOOK])
    app.save()
    page = Page(as_admin.get(_url(app)).text)
    assert "What it says" in page.first(css="settings-lost").words
    rule = FieldRule.objects.get()
    assert _saved(as_admin, app, seen=1, forget=[str(rule.pk)]).find(css="settings-lost") == []
    assert not FieldRule.objects.exists()


def test_house_rules_of_5000_characters_and_no_more(as_admin: Client, app: App) -> None:
    """A6: longer rules are refused, but what was typed stays in the form."""
    _saved(as_admin, app, house_rules="x" * 5_000)
    answer = _post(as_admin, app, seen=1, house_rules="y" * 5_001)
    assert answer.status_code == 422
    page = Page(answer.text)
    assert "Shorten this to 5,000 characters." in page.first(id="house-rules-error").words
    assert len(page.first(id="settings-house_rules").text.strip()) == 5_001


def test_resetting_asks_first_and_refuses_what_was_not_shown(as_admin: Client, app: App) -> None:
    _saved(as_admin, app, **{"name": "Other", "group": "Print", "p1-label": "What it says"})
    url = reverse("runs:manage-app-reset", args=[app.public_id])
    question = Page(as_admin.get(url).text)
    assert "the name “Other”" in question.html.replace("<bdi>", "").replace("</bdi>", "")
    assert "label “What it says”" in question.html
    assert "Review the changes before you reset it." in as_admin.post(url, {"seen": "0"}, follow=True).text
    as_admin.post(url, {"seen": _value(question, "seen")})
    app.refresh_from_db()
    assert (app.name, app.rule.group) == ("Poster", "Print")
    assert not FieldRule.objects.exists()
    assert Entry.objects.get(verb="app.reset").changes["name"] == ["Other", ""]


@pytest.mark.parametrize("name", [field.name for field in PLAIN_FIELDS if field.max_length])
def test_each_plain_text_is_saved_recorded_and_reset(as_admin: Client, app: App, name: str) -> None:
    field = _saved(as_admin, app, **{name: "Spring"}).first(id=f"settings-{name}")
    assert "Spring" in (field.attributes.get("value"), field.text.strip())
    record = Page(as_admin.get("/manage/log/", {"act": "app.shaped"}).text).first(css="log-what")
    assert f"{AppRule.PLAIN[name]}: Spring" in [sentence.words for sentence in record.find("li")]

    url = reverse("runs:manage-app-reset", args=[app.public_id])
    question = Page(as_admin.get(url).text)
    as_admin.post(url, {"seen": _value(question, "seen")})

    is_reset = name != "group"  # the app keeps its place in the list
    listed = question.html.partition("This resets:")[2].partition("</ul>")[0]
    assert listed.count("<li>") == is_reset
    assert getattr(AppRule.objects.get(), name) == ("" if is_reset else "Spring")


def test_more_options_than_can_be_ticked_are_typed(as_admin: Client) -> None:
    many = {
        "key": "m",
        "name": "Many",
        "type": "options",
        "options": [f"Option {n}" for n in range(300)],
        "default": "",
    }
    app = make_app("Many", [many])
    answer = _post(as_admin, app, **{"p0-lines": "Option 7\nOption  9 \nOption X"})
    assert "“Option X” isn&#x27;t one of the app&#x27;s options." in answer.text
    _saved(as_admin, app, **{"p0-lines": "Option 9\n\nOption 7 "})
    assert FieldRule.objects.get().options == ["Option 7", "Option 9"]


def test_long_labels_and_other_directions_stay_inside_the_page(as_admin: Client, app: App) -> None:
    """A11: labels that are too long are refused, and each label is shown in the direction of its own script."""
    page = _saved(as_admin, app, **{"p1-label": "ש" * 200})
    assert page.first(id="p1-field").first(css="settings-label").attributes["dir"] == "auto"
    assert _post(as_admin, app, seen=1, **{"p1-label": "x" * 201}).status_code == 422


def _url(app: App) -> str:
    return reverse("runs:manage-app", args=[App.objects.get(pk=app.pk).slug, app.public_id])


def _form(app: App, **given: Any) -> dict[str, Any]:
    """Return what the page would post for an app without rules, plus the `given` values."""
    app = App.objects.select_related("schema").get(pk=app.pk)
    assert app.schema is not None
    posted: dict[str, Any] = {"seen": 0, "schema": app.schema.version, "audience": "all"}
    for n, parameter in enumerate(app.schema.parameters):
        posted[f"p{n}-mode"] = "open"
        if parameter["type"] == "options":
            posted[f"p{n}-allowed"] = [str(at) for at in range(len(parameter["options"]))]
    return posted | given


def _post(client: Client, app: App, **given: Any) -> Any:
    return client.post(_url(app), _form(app, **given))


def _saved(client: Client, app: App, **given: Any) -> Page:
    answer = client.post(_url(app), _form(app, **given), follow=True)
    assert answer.status_code == 200, [one.words for one in Page(answer.text).find(css="notice")]
    return Page(answer.text)


def _value(page: Page, name: str) -> str:
    field: Element = next(field for field in page.find("input") if field.attributes.get("name") == name)
    return field.attributes.get("value", "")
