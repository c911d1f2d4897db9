"""Drafts survive a reload, a change of device and an expired sign-in, and can be restored after being deleted."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.acts import open_app, press_run, sign_in
from tests.browser.apps import CARTOONIFY
from tests.browser.visitors import Guests
from tests.support.page_checks import SIDEWAYS

pytestmark = pytest.mark.browser
APP = "sandbox-quick-reel"


def expect_words(page: Page, text: str) -> None:
    """Expect the form to contain `text`; its last words may not appear until shortly after the page has loaded."""
    expect(page.get_by_label("Describe your idea")).to_have_value(text)


def kept(page: Page) -> None:
    """Wait until the page says that the draft is saved."""
    expect(page.locator("[data-draft-saved]")).to_be_visible()


def test_a_text_survives_a_reload_and_is_there_on_another_device(guests: Guests, browser: Browser) -> None:
    visitor = guests()
    page = visitor.page
    path = open_app(visitor, APP)
    text = "A fox\n\nin the  snow \u2028 🦊"
    page.get_by_label("Describe your idea").fill(text)
    kept(page)
    page.reload()
    expect_words(page, text)
    with visitor.another_browser(browser) as elsewhere:
        other = elsewhere.new_page()
        other.goto(path)
        expect_words(other, text)
    press_run(page)
    page.goto(path)
    expect_words(page, "")  # the draft became a run, so the next form is empty


def test_the_last_words_before_leaving_are_kept(guests: Guests) -> None:
    visitor = guests()
    page = visitor.page
    path = open_app(visitor, APP)
    page.get_by_label("Describe your idea").press_sequentially("typed and gone")
    page.get_by_role("link", name="History").first.click()
    page.get_by_role("heading", name="History").wait_for()
    page.goto(path)
    expect_words(page, "typed and gone")


def test_an_expired_sign_in_loses_no_word(guests: Guests) -> None:
    visitor = guests()
    page = visitor.page
    open_app(visitor, APP)
    page.get_by_label("Describe your idea").fill("A fox")
    kept(page)
    visitor.whole.inside.ask("expire", email=visitor.email)
    page.get_by_label("Describe your idea").press_sequentially(" in the snow")
    page.get_by_role("button", name="Run", exact=True).last.click()
    sign_in(visitor)
    page.get_by_role("button", name="Send it again").click()
    expect(page.locator(".went-in")).to_contain_text("A fox in the snow")


def test_words_typed_after_the_sign_in_expired_are_not_taken_away_by_the_autosave(guests: Guests) -> None:
    visitor = guests()
    page = visitor.page
    open_app(visitor, APP)
    visitor.whole.inside.ask("expire", email=visitor.email)
    with page.expect_response("**/drafts/**"):
        page.get_by_label("Describe your idea").press_sequentially("A fox in the snow")
    expect(page.get_by_label("Describe your idea")).to_have_value("A fox in the snow")
    page.get_by_role("button", name="Run", exact=True).last.click()
    sign_in(visitor)
    page.get_by_role("button", name="Send it again").click()
    expect(page.locator(".went-in")).to_contain_text("A fox in the snow")


def test_reset_empties_the_form_and_undo_brings_it_back_until_one_leaves(guests: Guests) -> None:
    visitor = guests()
    page = visitor.page
    path = open_app(visitor, APP)
    page.get_by_label("Describe your idea").fill("A fox")
    kept(page)
    page.get_by_role("button", name="Reset form").click()
    expect(page.get_by_text("The form has been reset.")).to_be_visible()
    expect_words(page, "")
    page.get_by_label("Describe your idea").fill("Something else")
    kept(page)
    page.get_by_role("button", name="Undo").click()
    expect_words(page, "A fox")
    page.goto("/")
    expect(page.locator(".draft-link")).to_contain_text("A fox")
    page.goto(path)
    page.get_by_role("button", name="Reset form").press("Enter")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    page.goto("/")
    expect(page.locator("#drafts")).to_have_count(0)
    page.goto(path)
    expect_words(page, "")
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)


@pytest.mark.parametrize(("width", "scripts"), [(1280, True), (320, False)])
def test_a_deleted_draft_can_be_restored_by_keyboard(guests: Guests, width: int, scripts: bool) -> None:
    visitor = guests(width=width, scripts=scripts)
    page, ask = visitor.page, visitor.whole.inside.ask
    ask("draft", email=visitor.email, remote_id=CARTOONIFY, Style="Ghibli")
    ask("draft", email=visitor.email, remote_id=APP, **{"Describe your idea": "A fox"})
    drafts, fox = page.locator(".draft"), page.locator(".draft", has_text="A fox")
    for path in ("/", "/apps/"):
        page.goto(path)
        expect(drafts).to_have_count(2)
        fox.get_by_role("button", name=re.compile("^Delete the draft")).focus()

        page.keyboard.press("Enter")

        expect(page.locator("#drafts .notice")).to_be_focused()
        expect(drafts).to_have_count(1)
        expect(drafts).to_contain_text("Ghibli")
        assert page.evaluate(SIDEWAYS) == ""
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Undo")).to_be_focused()
        page.keyboard.press("Enter")
        expect(drafts).to_have_count(2)
        expect(page).to_have_url(re.compile(f"\\d{path}$"))
    fox.get_by_role("link").click()
    expect_words(page, "A fox")
