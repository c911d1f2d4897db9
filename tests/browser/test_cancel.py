"""Stopping a run: one press and one confirmation, without leaving the run's page."""

import pytest
from playwright.sync_api import expect

from tests.browser.acts import a_run_that_goes_on, expect_state
from tests.browser.page_clock import pass_time, stop_time
from tests.browser.visitors import Guests
from tests.browser.whole import Whole
from tests.support.browser import await_scripts

pytestmark = pytest.mark.browser


def test_cancelling_asks_in_place(guests: Guests, whole: Whole) -> None:
    visitor = guests(hasty=True)
    page = visitor.page
    run = a_run_that_goes_on(whole, visitor)
    page.goto(f"/runs/{run}/")
    dialog = page.get_by_role("dialog", name="Cancel this run?")

    page.get_by_role("link", name="Cancel", exact=True).press("Enter")
    expect(dialog.get_by_role("button", name="Cancel the run")).to_be_focused()
    whole.move(whole.remote_id(run), "running", ready=1)  # the page behind the dialog keeps updating
    expect(page.get_by_text("1 of 2 ready").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("link", name="Cancel", exact=True)).to_be_focused()

    # Send an empty response, so that the page keeps showing that it is waiting for Lamina.
    page.route("**/cancel/", lambda route: route.fulfill(status=204), times=1)
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("button", name="Cancel the run")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Asking Lamina to stop this run…")).to_be_visible()
    expect(page.get_by_text("Keep it running")).to_be_hidden()  # the question disappears when answered

    page.goto(f"/runs/{run}/")
    await_scripts(page)
    page.get_by_role("link", name="Cancel", exact=True).press("Enter")
    expect(dialog.get_by_role("button", name="Cancel the run")).to_be_focused()
    page.keyboard.press("Enter")
    expect_state(page, "Cancelled")
    expect(page.locator("#run-panel")).to_contain_text(
        "This run may have cost credits, but no more than the estimate: about"
    )
    expect(page.locator("#messages")).to_be_empty()
    assert page.url.endswith(f"/runs/{run}/")


def test_a_press_that_lasts_while_the_run_ends_is_not_lost(guests: Guests, whole: Whole) -> None:
    visitor = guests()
    page = visitor.page
    run = a_run_that_goes_on(whole, visitor)
    stop_time(page)
    page.goto(f"/runs/{run}/")
    page.get_by_role("link", name="Cancel", exact=True).hover()
    page.mouse.down()
    whole.move(whole.remote_id(run), "completed")
    whole.wait_for(run, "ready")
    visitor.watch.answers.clear()
    pass_time(visitor, 3)
    assert 200 in visitor.watch.live()  # without the press, this update would have replaced the link

    page.mouse.up()

    expect(page.get_by_role("dialog", name="Cancel this run?")).to_be_visible()
    pass_time(visitor, 3)
    expect(page.get_by_role("dialog", name="This run has already ended")).to_be_visible()


def test_a_run_that_ends_meanwhile_is_told_in_the_open_question(guests: Guests, whole: Whole) -> None:
    visitor = guests(hasty=True)
    page = visitor.page
    run = a_run_that_goes_on(whole, visitor)
    page.goto(f"/runs/{run}/")
    page.get_by_role("link", name="Cancel", exact=True).click()
    expect(page.get_by_role("dialog", name="Cancel this run?")).to_be_visible()

    whole.move(whole.remote_id(run), "completed")

    late = page.get_by_role("dialog", name="This run has already ended")
    expect(late).to_contain_text("Ready")
    expect(late).to_contain_text("The run finished, so it costs the full estimate: about")
    expect(late.get_by_role("button", name="Cancel the run")).to_have_count(0)
    expect(late.get_by_role("link", name="Back to the run")).to_be_focused()
    page.keyboard.press("Enter")
    expect(late).to_be_hidden()
    expect_state(page, "Ready")
    expect(page.locator("#run-panel .button").first).to_be_focused()

    page.goto(f"/runs/{run}/cancel/")
    expect(page.get_by_role("heading", name="This run has already ended")).to_be_visible()
