"""No page scrolls sideways, however narrow the window or large the text."""

import pytest
from playwright.sync_api import Page

from tests.browser.acts import a_photo, choose, open_app, tiles
from tests.browser.apps import CARTOONIFY
from tests.browser.pages import pages_of
from tests.browser.visitors import Gallery, Guests
from tests.browser.whole import Whole
from tests.support.page_checks import too_wide

pytestmark = pytest.mark.browser
LARGE_TEXT = 32  # px in the browser's settings, twice the usual 16 px


def enlarge_text(page: Page) -> None:
    """Enlarge the text as the browser's settings do, so that sizes in rem and em grow with it."""
    client = page.context.new_cdp_session(page)
    client.send("Page.setFontSizes", {"fontSizes": {"standard": LARGE_TEXT, "fixed": LARGE_TEXT - 6}})


@pytest.mark.parametrize("is_large", [False, True], ids=["usual text", "text of 200 %"])
def test_nothing_scrolls_sideways(guests: Guests, whole: Whole, gallery: Gallery, is_large: bool) -> None:
    """test_languages.py does the same with text at its usual size, in a language where it's longer."""
    visitor = guests(email=gallery.email)
    page = visitor.page
    if is_large:
        enlarge_text(page)
    found = []
    for path in pages_of(gallery, whole) if is_large else ("/", "/history/"):
        page.goto(path)
        found += too_wide(page)
    open_app(visitor, "card-many-pictures")
    choose(page, a_photo("a_name_without_any_place_to_break_" * 4 + ".png"), a_photo("b.png"))
    tiles(page).nth(1).wait_for()
    found += too_wide(page)
    page.locator(".launch-run").click()
    page.locator("#errors").or_(page.locator("#run-panel")).first.wait_for()
    found += too_wide(page)
    page.context.clear_cookies()
    page.goto("/login/")
    found += too_wide(page)
    assert not found, "\n".join(found)


def test_large_text_is_really_large(guests: Guests) -> None:
    page = guests().page
    enlarge_text(page)
    page.goto("/apps/")
    assert page.evaluate("getComputedStyle(document.body).fontSize") == f"{LARGE_TEXT}px"


@pytest.mark.parametrize("width", [320, 360])
@pytest.mark.parametrize("app", [CARTOONIFY, "card-half-fails"])
def test_on_a_phone_sharing_a_run_is_in_view(guests: Guests, gallery: Gallery, app: str, width: int) -> None:
    page = guests(email=gallery.email, width=width).page
    page.goto(f"/runs/{gallery.runs[app]}/")
    place = page.locator("#run-share").bounding_box()
    assert place
    assert place["x"] + place["width"] <= width


def test_on_a_phone_the_longest_name_leaves_room_for_the_results(guests: Guests, gallery: Gallery) -> None:
    page = guests(email=gallery.email, width=360).page
    page.goto(f"/runs/{gallery.runs['card-long-names']}/")
    name, window = page.locator("h1").bounding_box(), page.viewport_size
    assert name
    assert window
    assert name["height"] < window["height"] / 4
