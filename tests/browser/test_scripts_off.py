"""The main journey in a browser without scripts, and a sign-in that expires halfway."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.acts import PICTURE, RUN_PATH, boxes, expect_picture, open_app, photo_on_disk, press_run, sign_in
from tests.browser.apps import CARTOONIFY
from tests.browser.visitors import Guests, Visitor

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [320, 1280])
def test_the_main_line_without_scripts(guests: Guests, tmp_path: Path, width: int) -> None:
    visitor = guests(width=width, scripts=False, signed_in=False)
    page = visitor.page
    page.goto("/apps/")
    sign_in(visitor)
    expect(page).to_have_title("Apps · Lamina Portal")
    page.get_by_label("Search apps").last.fill("cartoon")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".app-card")).to_have_count(1)
    page.get_by_role("link", name="Cartoonify!").click()
    head, form = (page.locator(part).bounding_box() for part in (".app-head", ".form-main"))
    assert head
    assert form
    # the gap is too small for an empty row between them
    assert form["y"] - (head["y"] + head["height"]) < 64
    fill(page, tmp_path)
    visitor.whole.script(CARTOONIFY, outcome="never")
    run = press_run(page)
    expect(boxes(page)).to_have_count(2)
    assert page.locator("noscript meta[http-equiv=refresh]").count() == 1
    visitor.whole.move(visitor.whole.remote_id(run), "completed")
    expect(page).to_have_title(re.compile("^Cartoonify!"))  # after the page has refreshed itself
    pictures = boxes(page).locator("img")
    expect(pictures).to_have_count(2)
    assert all(PICTURE.match(str(picture.get_attribute("src"))) for picture in pictures.all())
    assert page.locator("meta[http-equiv=refresh]").count() == 0  # finished runs don't refresh
    expect(page.locator(".went-in").get_by_alt_text("me.png")).to_be_visible()
    page.get_by_role("link", name="History").first.click()
    expect(page.locator(f"#card-{run}.is-ready")).to_be_visible()
    page.get_by_label("Search inputs").fill("nothing like it")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".history-none h2")).to_be_visible()
    page.get_by_role("link", name="Show everything").click()
    page.locator(f"#card-{run}").get_by_role("link").click()
    page.get_by_role("link", name="Change and run again").click()
    expect(page.get_by_role("radio", name="Ghibli")).to_be_checked()
    expect(page.locator(".file-tile")).to_contain_text("me.png")


def fill(page: Page, folder: Path) -> None:
    page.get_by_role("radio", name="Ghibli").check()
    page.locator("input[type=file]").set_input_files(photo_on_disk(folder))
    page.locator("details.more summary").click()
    page.get_by_role("radio", name="3:4").check()


def test_files_are_added_and_removed_by_buttons(guests: Guests, tmp_path: Path) -> None:
    visitor = guests(scripts=False)
    page = visitor.page
    open_app(visitor)
    fill(page, tmp_path)
    page.get_by_text("Use a link").click()
    page.get_by_role("button", name="Use link").click()
    expect(page.locator(".file-tile")).to_contain_text("me.png")
    expect(page.get_by_role("radio", name="Ghibli")).to_be_checked()
    page.get_by_role("button", name="Remove me.png").click()
    expect(page.locator(".file-tile")).to_have_count(0)
    expect(page.get_by_role("radio", name="Ghibli")).to_be_checked()


def test_an_error_keeps_everything_the_chosen_file_too(guests: Guests, tmp_path: Path) -> None:
    visitor = guests(scripts=False)
    page = visitor.page
    open_app(visitor)
    page.locator("input[type=file]").set_input_files(photo_on_disk(tmp_path))
    page.get_by_role("button", name="Run", exact=True).last.click()
    summary = page.get_by_role("heading", name="One thing needs another look")
    expect(summary).to_be_visible()
    expect(page.locator(".file-tile")).to_contain_text("me.png")
    page.locator("#errors").get_by_role("link", name="Style").click()
    page.get_by_role("radio", name="Ghibli").check()
    press_run(page)
    expect(page.locator(".went-in").get_by_alt_text("me.png")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts on", "scripts off"])
def test_after_an_expired_sign_in_everything_is_offered_again(guests: Guests, tmp_path: Path, scripts: bool) -> None:
    visitor = guests(scripts=scripts)
    page = visitor.page
    open_app(visitor)
    if scripts:
        page.evaluate("document.querySelector('[data-autosave]').remove()")  # the form must work without autosave, too
    fill(page, tmp_path)
    if scripts:
        expect_picture(page.locator(".file-tile[data-file] img"))
    visitor.whole.inside.ask("expire", email=visitor.email)
    page.get_by_role("button", name="Run", exact=True).last.click()
    expect(page.get_by_text("You were signed out in the meantime.")).to_be_visible()
    sign_in(visitor)
    expect(page.get_by_role("heading", name="You're signed in again")).to_be_visible()
    send_again(visitor)
    expect(page.locator(".went-in")).to_contain_text("Ghibli")
    expect(page.locator(".went-in")).to_contain_text("3:4")
    expect(page.locator(".went-in").get_by_alt_text("me.png")).to_be_visible()


def send_again(visitor: Visitor) -> None:
    visitor.page.get_by_role("button", name="Send it again").click()
    visitor.page.wait_for_url(RUN_PATH)
