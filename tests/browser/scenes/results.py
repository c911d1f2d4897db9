"""Pages for results that can't be shown, and ways to reuse a result."""

from playwright.sync_api import expect

from tests.browser.acts import open_app
from tests.browser.apps import LEFT_ALONE
from tests.browser.scenes.stage import scene
from tests.browser.visitors import Visitor
from tests.browser.whole import Whole


def open_made_up(visitor: Visitor, whole: Whole, address: str = "", **state: str) -> None:
    """Create a result in the given `state` and open its page, or the page whose path is `address` relative to it."""
    result = whole.inside.ask("result", email=visitor.email, remote_id=LEFT_ALONE, **state)
    visitor.page.goto(f"/results/{result}/{address}")


@scene
def result_not_saved(visitor: Visitor, whole: Whole) -> None:
    open_made_up(visitor, whole, file_status="failed")
    visitor.page.get_by_role("button", name="Try to fetch again").wait_for()


@scene
def result_being_saved(visitor: Visitor, whole: Whole) -> None:
    open_made_up(visitor, whole, file_status="saving")
    visitor.page.locator(".file-state").wait_for()


@scene
def use_in_another_app(visitor: Visitor, whole: Whole) -> None:
    open_made_up(visitor, whole, "use/", text="Words that sell")
    visitor.page.get_by_role("heading", name="Use in another app").wait_for()


@scene
def library_over_the_form(visitor: Visitor, whole: Whole) -> None:
    open_app(visitor)
    page, way_in = visitor.page, visitor.page.get_by_role("button", name="From the library").first
    way_in.click()
    page.get_by_label("Search the library").fill("shoe")
    page.keyboard.press("Escape")  # closes it at once, and the form stays
    expect(page.locator("#library")).to_be_hidden()
    expect(way_in).to_be_focused()
    way_in.click()
    page.locator("#library-list .library-none").wait_for()
