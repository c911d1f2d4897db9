"""How pages stay current: one quiet request every 2.5 s, and none when the tab is hidden or everything has ended.

The tests advance the page's clock instead of waiting.
"""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from tests.browser.acts import expect_state, told
from tests.browser.visitors import Guests, Visitor
from tests.browser.whole import Whole

pytestmark = pytest.mark.browser
APP = "card-slow"


def a_run_that_goes_on(whole: Whole, visitor: Visitor) -> str:
    """Start a run on Lamina that stays in progress until the test moves it."""
    whole.script(APP, outcome="never")
    run = str(whole.inside.ask("start", email=visitor.email, remote_id=APP))
    whole.move(whole.remote_id(run), "running", ready=0)
    whole.wait_for(run, "running")
    return run


def stop_time(page: Page) -> None:
    """Stop the page's clock; from now on, only `pass_time` moves it, however long the test takes."""
    now = datetime.now(UTC)
    page.clock.install(time=now)
    page.clock.pause_at(now)


def pass_time(visitor: Visitor, seconds: int) -> None:
    """Let `seconds` pass on the page's clock; return once all its requests are answered."""
    for _ in range(seconds):
        visitor.page.clock.run_for(1000)
        visitor.wait_for(lambda: not visitor.watch.under_way, "the answers")


def settle(visitor: Visitor) -> None:
    """Let the page poll until nothing is new, since opening it may bring partial results."""
    for _ in range(20):
        pass_time(visitor, 3)
        if visitor.watch.live()[-1:] == [204]:
            return
    raise AssertionError(f"there was always something new: {visitor.watch.live()}")


def hide(page: Page, is_hidden: bool) -> None:
    """Pretend that the person switched to another tab, or back."""
    page.evaluate(
        """(hidden) => {
            Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        is_hidden,
    )


@pytest.mark.parametrize("path", ["/", "/history/", "/runs/{}/"])
def test_a_page_polls_quietly_and_stops_when_all_is_done(guests: Guests, whole: Whole, path: str) -> None:
    visitor = guests()
    page, watch = visitor.page, visitor.watch
    run = a_run_that_goes_on(whole, visitor)
    stop_time(page)
    page.goto(path.format(run))
    settle(visitor)
    watch.answers.clear()
    pass_time(visitor, 10)
    assert set(watch.live()) == {204}  # no change: an empty response, nothing swapped or announced
    assert 3 <= len(watch.live()) <= 5
    said = len(told(page, "said"))

    hide(page, True)
    watch.answers.clear()
    pass_time(visitor, 20)
    assert watch.answers == []
    assert len(told(page, "said")) == said

    whole.move(whole.remote_id(run), "completed")
    whole.wait_for(run, "ready")
    hide(page, False)  # the update must arrive at once
    pass_time(visitor, 1)
    expect(page.locator(f"[data-run='{run}'] .state-chip")).to_have_text("Ready")
    assert watch.live() == [200]
    pass_time(visitor, 4)
    watch.answers.clear()
    pass_time(visitor, 20)
    assert watch.answers == []


def test_the_change_comes_at_most_three_seconds_after_the_portal_knows(guests: Guests, whole: Whole) -> None:
    visitor = guests()
    page = visitor.page
    run = a_run_that_goes_on(whole, visitor)
    stop_time(page)
    page.goto(f"/runs/{run}/")
    settle(visitor)
    whole.move(whole.remote_id(run), "completed")
    whole.wait_for(run, "ready")
    pass_time(visitor, 3)
    expect(page.locator("#run-panel .state-chip")).to_have_text("Ready")


def test_old_runs_are_polled_every_ten_seconds(guests: Guests, whole: Whole) -> None:
    visitor = guests()
    page, watch = visitor.page, visitor.watch
    run = a_run_that_goes_on(whole, visitor)
    stop_time(page)
    page.goto(f"/runs/{run}/")
    pass_time(visitor, 4)
    page.clock.fast_forward("11:00")
    pass_time(visitor, 3)
    watch.answers.clear()
    pass_time(visitor, 30)
    assert 2 <= len(watch.live()) <= 4


def test_history_updates_its_card_in_place_and_announces_it_once(guests: Guests, whole: Whole) -> None:
    visitor = guests()
    page = visitor.page
    run = a_run_that_goes_on(whole, visitor)
    page.goto("/history/")
    card = page.locator(f"#card-{run}")
    before = card.bounding_box()
    whole.move(whole.remote_id(run), "completed")
    expect(card.locator(".state-chip")).to_have_text("Ready")
    expect(card.locator(".run-card-picture img")).to_have_count(2)
    assert card.bounding_box() == before
    expect(page.locator("#announcer")).to_have_text("Test card: slow: Ready.")
    assert told(page, "said").count("Test card: slow: Ready.") == 1


def test_an_expired_sign_in_leads_to_the_sign_in_page_and_back(guests: Guests, whole: Whole) -> None:
    visitor = guests()
    page = visitor.page
    run = a_run_that_goes_on(whole, visitor)
    page.goto(f"/runs/{run}/")
    whole.inside.ask("expire", email=visitor.email)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_label("Email address").fill(visitor.email)
    page.get_by_label("Password").fill("demo")
    page.keyboard.press("Enter")
    expect_state(page, "In progress")
