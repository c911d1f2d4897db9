"""From signing in to getting a picture, by keyboard alone: every Tab stop is visible, and nothing covers it."""

import pytest
from playwright.sync_api import FileChooser, expect

from tests.browser.acts import RESULT_PATH, a_photo, boxes, choose, expect_state, open_app, tiles
from tests.browser.visitors import Gallery, Guests
from tests.browser.whole import Whole
from tests.support.browser import await_scripts
from tests.support.keys import Keys

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [320, 1280])
def test_from_signing_in_to_a_picture(guests: Guests, whole: Whole, width: int) -> None:
    visitor = guests(width=width, signed_in=False, hasty=True)
    whole.wait_for(whole.inside.ask("start", email=visitor.email, remote_id="card-instant"), "ready")
    page = visitor.page
    keys = Keys(page)
    press = page.keyboard.press
    choosers: list[FileChooser] = []
    page.on("filechooser", lambda chooser: choosers.append(chooser))
    page.goto("/")
    expect(page.get_by_label("Email address")).to_be_focused()
    keys.look()
    page.keyboard.type(visitor.email)
    press("Tab")
    page.keyboard.type("demo")
    press("Enter")
    page.get_by_label("What do you need?").wait_for()
    await_scripts(page)

    keys.tab_to(page.get_by_label("What do you need?"))
    page.keyboard.type("cartoon")
    expect(page.locator("#app-grid .app-card")).to_have_count(1)
    keys.tab_to(page.get_by_role("link", name="Cartoonify!", exact=True))
    press("Enter")

    page.locator("#app-form").wait_for()
    await_scripts(page)
    keys.tab_to(page.get_by_role("radio", name="Ghibli"))
    press("Space")
    press("ArrowRight")
    expect(page.get_by_role("radio", name="Simpsons")).to_be_checked()
    keys.tab_to(page.locator("#p0_file"))
    press("Space")
    visitor.wait_for(lambda: len(choosers) == 1, "the browser's own window for files")
    choosers[0].set_files(a_photo())
    expect(tiles(page)).to_have_count(1)
    keys.tab_to(page.locator("details.more summary"))
    press("Enter")
    keys.tab_to(page.get_by_role("radio", name="1:1", exact=True))
    press("ArrowDown")
    expect(page.get_by_role("radio", name="4:3", exact=True)).to_be_checked()
    keys.tab_to(page.locator(".launch-run"))
    press("Enter")

    page.locator("#run-panel").wait_for()
    await_scripts(page)
    expect_state(page, "Ready")
    expect(boxes(page).locator("img")).to_have_count(2)
    keys.tab_to(boxes(page).first.locator("a").first)
    assert RESULT_PATH.match(str(boxes(page).first.locator("a").first.get_attribute("href")))
    keys.tab_to(page.get_by_role("link", name="Change and run again"), "Shift+Tab")
    assert keys.bad == []


@pytest.mark.parametrize("width", [320, 1280])
def test_no_stop_of_tab_in_a_form_is_unmarked_or_under_a_bar(guests: Guests, whole: Whole, width: int) -> None:
    # not the gallery's member: this test fills in forms, which would leave drafts in that member's account
    page = guests(width=width).page
    keys = Keys(page)
    for app in ("card-many-pictures", "card-options-25", "sandbox-caption"):
        page.goto(whole.inside.ask("app", remote_id=app)["path"])
        if app == "card-many-pictures":
            choose(page, a_photo("a.png"), a_photo("b.png"))
            expect(tiles(page)).to_have_count(2)
        for more in page.locator("details > summary").all():
            more.click()
        assert keys.tab_through() > 10
    assert keys.bad == []


@pytest.mark.parametrize("width", [320, 1280])
def test_no_stop_of_tab_among_runs_is_unmarked_or_under_a_bar(guests: Guests, gallery: Gallery, width: int) -> None:
    page = guests(email=gallery.email, width=width).page
    keys = Keys(page)
    run = gallery.runs["card-half-fails"]
    for path in ("/", "/apps/?q=picture", "/history/", "/history/?view=list", f"/runs/{run}/"):
        page.goto(path)
        assert keys.tab_through() > 8
    assert keys.bad == []

    page.goto("/history/")
    page.locator(".skip-link").first.focus()
    for key in ("Tab", "Enter", "Tab"):  # go to the second skip link, follow it, and press Tab once more
        page.keyboard.press(key)
    expect(page.locator("#history-results :focus")).to_have_count(1)


def test_slash_goes_to_the_search_and_does_nothing_in_a_field(guests: Guests) -> None:
    visitor = guests()
    page = visitor.page
    open_app(visitor, "sandbox-quick-reel")
    page.keyboard.press("/")
    expect(page.locator("#bar-q")).to_be_focused()
    page.get_by_label("Describe your idea").press_sequentially("1/2")
    expect(page.get_by_label("Describe your idea")).to_have_value("1/2")
    expect(page.get_by_label("Describe your idea")).to_be_focused()


def test_a_long_list_is_searched_with_the_keyboard(guests: Guests) -> None:
    visitor = guests()
    page = visitor.page
    open_app(visitor, "card-options-25")
    choices = page.locator("select#p0 option")
    wanted = str(choices.nth(17).inner_text())
    page.get_by_role("searchbox", name="Search 25 options").press_sequentially(wanted.lower())
    page.keyboard.press("Enter")
    expect(page.locator("select#p0 option:checked")).to_have_text(wanted)
    assert "/runs/" not in page.url


def test_after_an_error_the_focus_is_on_the_summary_which_leads_to_the_choice(guests: Guests) -> None:
    visitor = guests()
    page = visitor.page
    open_app(visitor)
    page.locator(".launch-run").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#errors")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#errors").get_by_role("link", name="Style")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("radio", name="Ghibli")).to_be_focused()
