"""Home and Apps list drafts; those that are emptied or deleted can be restored."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from runs.launching import drafts, prefill
from runs.launching.open_drafts import draft_words, not_started
from runs.models import App, Draft, Member, Preset, Run, Upload
from runs.schema_forms.answers import load_answers
from runs.words.moments import full_words
from tests.support.app_forms import fields, seen_in, token_in
from tests.support.app_settings import locked, set_rules
from tests.support.clients import client_of
from tests.support.factories import PROMPT, make_app, make_run
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
    return Draft.objects.create(member=member, app=app, answers=load_answers(list(answers or [IDEA])), **more)


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
    assert [kept.answers[1].value for kept in Draft.objects.all()] == ["at sea"]

    seen = seen_in(as_alice.get(app.get_absolute_url()).text)
    as_alice.post(f"/drafts/{app.public_id}/", {**fields(app, alice), "seen": seen, "p1": "of a new page"})
    assert [kept.answers[1].value for kept in Draft.objects.all()] == ["of a new page"]


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
    as_alice.post(f"/drafts/{app.public_id}/restore/", fields(app, alice, seen=seen_in(page), p1="on land, too"))
    assert "at sea" in as_alice.get(app.get_absolute_url()).text
    assert "on land, too" in str(Preset.objects.get().answers)  # what was typed after the reset isn't lost


def test_a_reset_that_is_sent_again_still_offers_undo(as_alice: Client, alice: Member, app: App) -> None:
    """As when the first answer was lost on its way."""
    form, url = fields(app, alice), f"/drafts/{app.public_id}/clear/"
    answers = [as_alice.post(url, form).headers["Location"] for _ in range(2)]
    assert answers == [f"{app.get_absolute_url()}?reset=1"] * 2


def test_an_untouched_form_has_nothing_to_bring_back(as_alice: Client, alice: Member, app: App) -> None:
    assert reset(as_alice, alice, app, p0="", p1="") == app.get_absolute_url()


# --- One draft, several tabs ---


def words_of_draft() -> str:
    """Return the text in the draft."""
    return str(Draft.objects.current().get().answers[1].value)


def opened(client: Client, member: Member, app: App, **typed: Any) -> dict[str, Any]:
    """Open the form in a new tab; return what it posts once something has been typed."""
    page = client.get(app.get_absolute_url()).text
    return fields(app, member, token=token_in(page), seen=seen_in(page), **typed)


def save(client: Client, app: App, form: dict[str, Any]) -> Any:
    return client.post(f"/drafts/{app.public_id}/", form)


def test_an_older_tab_does_not_overwrite_a_newer_draft_and_both_are_kept(
    as_alice: Client, alice: Member, app: App
) -> None:
    older, newer = (opened(as_alice, alice, app, p1=words) for words in ("words of the laptop", "words of the phone"))
    assert save(as_alice, app, older).status_code == 204
    newer |= {"seen": seen_in(as_alice.get(app.get_absolute_url()).text)}  # the phone showed that draft, and goes on
    assert save(as_alice, app, newer).status_code == 204
    assert words_of_draft() == "words of the phone"

    answer = save(as_alice, app, older | {"p1": "more words of the laptop"})

    assert words_of_draft() == "words of the phone"
    assert "more words of the laptop" in str(Preset.objects.get().answers)
    note = Page(answer.text).first(id="newer-draft")
    assert note.attributes["hx-swap-oob"] == "true"
    assert "You changed this draft in another tab or on another device" in note.words
    assert "Both are kept. This one is saved as the preset “Draft from" in note.words
    assert [button.attributes["value"] for button in note.find("button")] == ["mine"]
    assert note.first("a", css="button").attributes["href"] == app.get_absolute_url()

    quiet = save(as_alice, app, older | {"p1": "still more words", "told": "1"})  # the page has said so
    assert quiet.status_code == 204
    assert "still more words" in str(Preset.objects.get().answers)
    assert words_of_draft() == "words of the phone"
    assert save(as_alice, app, newer | {"p1": "the phone goes on"}).status_code == 204
    assert words_of_draft() == "the phone goes on"


def test_three_tabs_lose_nothing(as_alice: Client, alice: Member, app: App) -> None:
    tabs = [opened(as_alice, alice, app, p1=f"words of tab {number}") for number in range(3)]
    for tab in tabs:
        save(as_alice, app, tab)
    everything = words_of_draft() + str([preset.answers for preset in Preset.objects.all()])
    assert all(f"words of tab {number}" in everything for number in range(3))


def test_one_can_choose_the_words_of_the_older_tab(as_alice: Client, alice: Member, app: App) -> None:
    older, newer = (opened(as_alice, alice, app, p1=words) for words in ("words of the laptop", "words of the phone"))
    save(as_alice, app, newer)
    save(as_alice, app, older)

    answer = as_alice.post(app.get_absolute_url(), older | {"act": "mine"}, follow=True)

    assert answer.redirect_chain == [(app.get_absolute_url(), 302)]
    assert "This is your draft now. The other one is saved as a preset." in answer.text
    assert words_of_draft() == "words of the laptop"
    assert "words of the phone" in str(Preset.objects.get().answers)
    assert save(as_alice, app, newer).status_code == 200  # now the phone is the older one


def test_a_run_from_an_older_tab_leaves_the_newer_draft(
    as_alice: Client, alice: Member, app: App, photo: Upload
) -> None:
    kept = {"p2_kept": photo.public_id}
    older = opened(as_alice, alice, app, p1="words of the laptop", **kept)
    save(as_alice, app, opened(as_alice, alice, app, p1="words of the phone"))
    save(as_alice, app, older)

    for _again in range(2):  # as when the answer was lost
        answer = as_alice.post(app.get_absolute_url(), older)
        assert answer.headers["Location"] == Run.objects.get().get_absolute_url()

    assert Run.objects.get().inputs.get(name="Prompt").value == "words of the laptop"
    assert words_of_draft() == "words of the phone"
    assert not Preset.objects.exists(), "the words of the laptop are in the run"


@pytest.mark.parametrize("act", ["", "preset", "library:p2", "cost"])
def test_without_scripts_an_older_tab_shows_its_own_words_and_the_choice(
    as_alice: Client, alice: Member, app: App, act: str
) -> None:
    older = opened(as_alice, alice, app, p1="words of the laptop", plain="1", act=act)
    save(as_alice, app, opened(as_alice, alice, app, p1="words of the phone"))

    answer = as_alice.post(app.get_absolute_url(), older)  # Run is refused: a photo is missing

    page = Page(answer.text)
    assert page.first("textarea", id="p1").text.strip() == "words of the laptop"
    assert "in another tab" in page.first(id="newer-draft").words
    assert words_of_draft() == "words of the phone"
    again = older | {"token": token_in(answer.text), "seen": seen_in(answer.text)}
    as_alice.post(app.get_absolute_url(), again)
    assert words_of_draft() == "words of the phone"


def test_equal_words_and_an_empty_draft_are_overwritten_silently(as_alice: Client, alice: Member, app: App) -> None:
    for words, emptied in (("at sea", {}), ("other words", {"p0": "", "p1": ""})):
        older = opened(as_alice, alice, app, p1=words)
        save(as_alice, app, opened(as_alice, alice, app, **emptied))
        assert save(as_alice, app, older).status_code == 204
        assert words_of_draft() == words
        Draft.objects.all().delete()
    assert not Preset.objects.exists()


def test_somebody_elses_form_is_not_said_to_be_saved(as_bob: Client, alice: Member, app: App) -> None:
    """Bob has signed in in another tab; Alice's form is still open."""
    assert save(as_bob, app, fields(app, alice, p1="words of Alice")).status_code == 409
    assert not Draft.objects.exists()


def test_after_a_reset_the_form_does_not_speak_of_last_time(as_alice: Client, alice: Member, app: App) -> None:
    url = reset(as_alice, alice, app)
    save(as_alice, app, opened(as_alice, alice, app, p1="new words"))
    for address, said in ((url, "The form has been reset."), (app.get_absolute_url(), prefill.FROM_LAST_TIME)):
        text = as_alice.get(address).text
        assert [words for words in ("The form has been reset.", prefill.FROM_LAST_TIME) if words in text] == [said]
        assert "new words" in text
    drafts.tidy(timezone.now() + timedelta(days=2))  # the old draft is gone, so there is nothing to undo
    assert prefill.FROM_LAST_TIME in as_alice.get(url).text


def test_a_form_without_fields_keeps_no_draft(as_alice: Client, alice: Member, admin_member: Member) -> None:
    outputs = [{"index": n, "label": label, "type": "image"} for n, label in enumerate(["Front", "Back"])]
    bare, locked_app = make_app(parameters=[], outputs=outputs), make_app(parameters=[PROMPT], outputs=outputs)
    set_rules(locked_app, admin_member, p0=locked("brand words"))
    for app in (bare, locked_app):
        version = as_alice.get(app.get_absolute_url()).text.partition('name="schema" value="')[2].partition('"')[0]
        form = opened(as_alice, alice, app, schema=version, outputs=["1"])
        save(as_alice, app, form)
        answer = as_alice.post(app.get_absolute_url(), form | {"act": "cost", "plain": "1"})
        boxes = Page(answer.text).first("fieldset", id="outputs").find("input")
        [ticked] = [box for box in boxes if "checked" in box.attributes]
        assert ticked.attributes["value"] == "1", "without scripts, only the page itself knows what is ticked"
        assert not Draft.objects.exists()
        assert prefill.FROM_LAST_TIME not in as_alice.get(app.get_absolute_url()).text
        Draft.objects.create(member=alice, app=app, wanted_outputs=[1])  # saved before an update of the portal
        assert prefill.FROM_LAST_TIME not in as_alice.get(app.get_absolute_url()).text
        Draft.objects.all().delete()


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


def test_historys_states_open_the_drafts_which_are_no_runs(
    as_alice: Client, alice: Member, make_member: Callable[..., Member]
) -> None:
    now, fox = timezone.now(), make_app("Fox Painter")
    draft(alice, fox, updated_at=now)
    for number in range(4):
        draft(alice, make_app(f"App {number}"), IDEA | {"value": "Boats"}, updated_at=now - timedelta(days=3))
    make_run(alice, fox, status="starting")

    def listed(query: str, client: Client = as_alice) -> list[str]:
        page = Page(client.get(f"/history/?{query}").text)
        return [line.words for line in page.find(css="draft-app")] + ["a run" for _run in page.find(css="run-card")]

    options = Page(as_alice.get("/history/").text).first("select", id="history-state").find("option")
    assert options[-1].words == "Not started yet"
    assert listed("") == ["a run"]
    assert listed("state=draft") == ["Fox Painter", "App 3", "App 2", "App 1", "App 0"]
    assert listed("state=draft&q=FOX") == listed(f"state=draft&app={fox.public_id}") == ["Fox Painter"]
    assert listed(f"state=draft&to={now - timedelta(days=2):%Y-%m-%d}&q=app") == ["App 3", "App 2", "App 1", "App 0"]
    assert listed("state=draft&decision=approved") == listed("state=draft&q=whale") == []
    assert "No drafts" in Page(as_alice.get("/history/?state=draft&q=whale").text).words
    assert [chip.label for chip in as_alice.get("/history/?state=draft").context["chips"]] == ["Not started yet"]

    assert listed("state=draft&tab=team") == [], "the team's list has no drafts"
    viewer = client_of(make_member("vera", role="viewer"))
    assert "Not started yet" not in viewer.get("/history/?tab=team").text


def test_many_drafts_are_folded(as_alice: Client, alice: Member) -> None:
    for number in range(5):
        draft(alice, make_app(f"App {number}"))

    more = Page(as_alice.get("/").text).first("details", css="drafts-more")

    assert more.first("summary").words == "2 more"
    assert len(more.find(css="draft")) == 2


def test_choices_and_files_tell_a_draft_apart_if_there_are_no_words(alice: Member) -> None:
    draft(alice, make_app("Cards"), IDEA | {"type": "options", "value": "Ghibli"})
    draft(alice, make_app("Files"), IDEA | {"type": "url", "value": {"uploads": ["a", "b"]}})

    assert [draft_words(draft) for draft in not_started(alice).drafts] == ["2 files", "Ghibli"]


@pytest.mark.parametrize(("page", "path"), [("home", "/"), ("app-list", "/apps/"), ("history", "/history/")])
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
    assert not_started(viewer).drafts == []


def test_a_form_says_only_right_after_the_run_why_it_is_empty(as_alice: Client, alice: Member, app: App) -> None:
    run = make_run(alice, app, status="completed")
    words = "Your run has started, so this form is empty again."
    assert words in as_alice.get(app.get_absolute_url()).text

    as_alice.force_login(alice)
    assert words not in as_alice.get(app.get_absolute_url()).text  # this is a new session

    Member.objects.update(last_login=timezone.now() - timedelta(hours=1))
    Run.objects.filter(pk=run.pk).update(created_at=timezone.now() - timedelta(minutes=4))
    assert words not in as_alice.get(app.get_absolute_url()).text
