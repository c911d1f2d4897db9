"""Home and Apps list drafts; those that are emptied or deleted can be restored."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from runs.launching import drafts
from runs.launching.open_drafts import not_started
from runs.models import App, Draft, Member, Preset, Run, Upload
from runs.words.moments import full_words
from tests.support.app_forms import fields
from tests.support.factories import make_app, make_run
from tests.support.page import Page, errors_of

pytestmark = pytest.mark.django_db
IDEA = {
    "name": "Prompt",
    "key": "prompt_text",
    "id": "p-1",
    "type": "text",
    "value": "A fox\nat sea",
    "is_default": False,
}


def draft(member: Member, app: App, *answers: dict[str, Any], **more: Any) -> Draft:
    return Draft.objects.create(member=member, app=app, answers=list(answers or [IDEA]), **more)


def reset(client: Client, member: Member, app: App, photo: Upload | None = None, **more: Any) -> str:
    """Press "Reset form"; return the address of the page that opens."""
    answer = client.post(f"/drafts/{app.public_id}/clear/", fields(app, member, photo, **more))
    return str(answer.headers["Location"])


def test_a_reset_form_offers_its_words_and_files_again_until_it_is_left(
    as_alice: Client, alice: Member, app: App, photo: Upload
) -> None:
    url = reset(as_alice, alice, app, photo)  # as without scripts, the server doesn't get the words until now
    page = as_alice.get(url).text
    assert "The form has been reset." in page
    assert "at sea" not in page
    assert "shoe.png" not in page
    assert "The form has been reset." not in as_alice.get(app.get_absolute_url()).text

    back = as_alice.post(f"/drafts/{app.public_id}/restore/").headers["Location"]

    assert back == app.get_absolute_url()
    page = as_alice.get(back).text
    assert "at sea" in page
    assert "shoe.png" in page


def test_a_save_that_arrives_after_reset_or_undo_changes_nothing(as_alice: Client, alice: Member, app: App) -> None:
    """When somebody presses a button, the page's last autosave may not have arrived yet."""
    form = fields(app, alice)
    url = as_alice.post(f"/drafts/{app.public_id}/clear/", form).headers["Location"]
    as_alice.post(f"/drafts/{app.public_id}/", {**form, "p1": "words too late"})
    opened = as_alice.get(url).text
    assert "words too late" not in opened
    assert "at sea" not in opened

    emptied = {**fields(app, alice), "p1": ""}
    as_alice.post(f"/drafts/{app.public_id}/", {**emptied, "p1": "typed"})
    as_alice.post(f"/drafts/{app.public_id}/restore/", emptied)
    as_alice.post(f"/drafts/{app.public_id}/", {**emptied, "p1": "typed late"})
    as_alice.post(f"/drafts/{app.public_id}/", {**form, "p1": "much too late"})
    assert [kept.answers[1]["value"] for kept in Draft.objects.all()] == ["at sea"]

    as_alice.post(f"/drafts/{app.public_id}/", {**fields(app, alice), "p1": "of a new page"})
    assert [kept.answers[1]["value"] for kept in Draft.objects.all()] == ["of a new page"]


def test_without_scripts_a_refused_form_is_answered_by_a_page_one_can_go_back_to(
    as_alice: Client, alice: Member, app: App, photo: Upload
) -> None:
    notes = SimpleUploadedFile("notes.txt", b"no picture")
    posted = fields(app, alice, p0="", plain="1", p1="my words", p2_file=notes, private="1", outputs=["1"])
    answer = as_alice.post(app.get_absolute_url(), posted)
    assert answer.status_code == 302
    for _again in range(2):  # the second time is like going back or reloading
        page = Page(as_alice.get(answer.headers["Location"]).text)
        assert "my words" in page.first("textarea", id="p1").text
        assert "that file is something else" in errors_of(page)["Photo"]
        inputs = {one.attributes.get("name"): one.attributes.get("value", "") for one in page.find("input")}
        assert (inputs["token"], inputs["private"]) == (posted["token"], "1")
    run = as_alice.post(app.get_absolute_url(), fields(app, alice, photo, token=posted["token"]))
    assert "/runs/" in run.headers["Location"]
    later = as_alice.get(answer.headers["Location"]).text
    assert "that file is something else" not in later
    assert posted["token"] not in later


def test_undo_is_still_there_after_another_button_of_the_form(as_alice: Client, alice: Member, app: App) -> None:
    url = reset(as_alice, alice, app)
    form = Page(as_alice.get(url).text).first("form", id="app-form")
    assert form.attributes["action"] == url

    page = as_alice.post(url, fields(app, alice, act="cost", p1="on land")).text

    assert "The form has been reset." in page
    as_alice.post(f"/drafts/{app.public_id}/restore/", fields(app, alice, p1="on land, too"))
    assert "at sea" in as_alice.get(app.get_absolute_url()).text
    assert "on land, too" in str(Preset.objects.get().answers)  # what was typed after the reset isn't lost


def test_a_reset_that_is_sent_again_still_offers_undo(as_alice: Client, alice: Member, app: App) -> None:
    """As when the first answer was lost on its way."""
    form, url = fields(app, alice), f"/drafts/{app.public_id}/clear/"
    answers = [as_alice.post(url, form).headers["Location"] for _ in range(2)]
    assert answers == [f"{app.get_absolute_url()}?reset=1"] * 2


def test_an_untouched_form_has_nothing_to_bring_back(as_alice: Client, alice: Member, app: App) -> None:
    assert reset(as_alice, alice, app, p0="", p1="") == app.get_absolute_url()


def test_home_and_apps_list_what_was_begun(
    as_alice: Client, alice: Member, bob: Member, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    now = timezone.now()
    draft(alice, make_app("Fox Painter"), updated_at=now)
    draft(alice, make_app("Older"), IDEA | {"value": "Older words"}, updated_at=now - timedelta(days=3))
    draft(alice, make_app("Untouched"), IDEA | {"is_default": True})
    draft(alice, make_app("Emptied"), IDEA | {"value": ""})
    draft(alice, make_app("No longer here", gone_at=now))
    draft(bob, make_app("Bobs"))

    for path in ("/", "/apps/"):
        lines = Page(as_alice.get(path).text).find(css="draft-link")
        assert [line.first(css="draft-app").words for line in lines] == ["Fox Painter", "Older"]
        assert lines[0].first(css="draft-words").words == "A fox at sea"
    assert full_words(now) in as_alice.get("/").text  # the full time and zone are next to the day
    assert "draft-link" not in as_alice.get("/apps/?q=fox").text
    with django_assert_num_queries(1):
        not_started(alice)


def test_many_drafts_are_folded(as_alice: Client, alice: Member) -> None:
    for number in range(5):
        draft(alice, make_app(f"App {number}"))

    more = Page(as_alice.get("/").text).first("details", css="drafts-more")

    assert more.first("summary").words == "2 more"
    assert len(more.find(css="draft")) == 2


def test_choices_and_files_tell_a_draft_apart_if_there_are_no_words(alice: Member) -> None:
    draft(alice, make_app("Cards"), IDEA | {"type": "options", "value": "Ghibli"})
    draft(alice, make_app("Files"), IDEA | {"type": "url", "value": {"uploads": ["a", "b"]}})

    assert [line.words for line in not_started(alice).lines] == ["2 files", "Ghibli"]


@pytest.mark.parametrize(("page", "path"), [("home", "/"), ("app-list", "/apps/")])
def test_a_deleted_draft_can_be_brought_back_where_it_was_listed(
    as_alice: Client, alice: Member, page: str, path: str
) -> None:
    app = make_app("Fox Painter")
    draft(alice, app)

    dropped = as_alice.post(f"/drafts/{app.public_id}/drop/", {"page": page}, follow=True)
    assert "was deleted" in dropped.text
    assert not Page(dropped.text).find(css="draft-link")
    assert dropped.redirect_chain[0][0].partition("?")[0] == path

    back = as_alice.post(f"/drafts/{app.public_id}/restore/", {"page": page}, follow=True)
    assert "Fox Painter" in Page(back.text).first(css="draft-link").words
    assert "was deleted" not in back.text


def test_a_dropped_draft_goes_after_a_day_and_a_viewer_has_none(
    alice: Member, make_member: Callable[..., Member]
) -> None:
    app, now = make_app(), timezone.now()
    draft(alice, app)
    drafts.drop_draft(alice, app, now - timedelta(days=2))
    draft(alice, app)

    drafts.tidy(now)

    assert [found.is_dropped for found in Draft.objects.all()] == [False]
    viewer = make_member("vera", role="viewer")
    draft(viewer, app)
    assert not_started(viewer).lines == []


def test_a_form_says_only_right_after_the_run_why_it_is_empty(as_alice: Client, alice: Member, app: App) -> None:
    run = make_run(alice, app, status="completed")
    words = "Your run has started, so this form is empty again."
    assert words in as_alice.get(app.get_absolute_url()).text

    as_alice.force_login(alice)
    assert words not in as_alice.get(app.get_absolute_url()).text  # this is a new session

    Member.objects.update(last_login=timezone.now() - timedelta(hours=1))
    Run.objects.filter(pk=run.pk).update(created_at=timezone.now() - timedelta(minutes=4))
    assert words not in as_alice.get(app.get_absolute_url()).text
