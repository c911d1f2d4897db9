"""A page that lets the test move its clock and hide its tab."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page

from tests.browser.visitors import Visitor


def stop_time(page: Page) -> None:
    """Stop the page's clock; from now on, only `pass_time` moves it, however long the test takes."""
    now = datetime.now(UTC)
    # the clock runs until it is stopped, and can't be stopped at a time in its past
    page.clock.install(time=now - timedelta(minutes=1))
    page.clock.pause_at(now)


def pass_time(visitor: Visitor, seconds: int) -> None:
    """Let `seconds` pass on the page's clock, waiting after each for the responses to the page's requests."""
    for _ in range(seconds):
        visitor.page.clock.run_for(1000)
        visitor.wait_for(lambda: not visitor.watch.under_way, "the answers")


def hide(page: Page, is_hidden: bool) -> None:
    """Pretend that the person switched to another tab, or back."""
    page.evaluate(
        """(hidden) => {
            Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        is_hidden,
    )
