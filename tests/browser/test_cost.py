"""The cost beside Run changes with the ticked results, with and without scripts."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.acts import open_app
from tests.browser.visitors import Guests

pytestmark = pytest.mark.browser
APP = "sandbox-quick-reel"  # makes two results


def test_the_cost_follows_a_tick_at_once_and_is_announced(guests: Guests) -> None:
    page = (visitor := guests()).page
    open_app(visitor, APP)
    cost, run = page.locator("#launch-cost"), page.get_by_role("button", name="Run", exact=True).last
    expect(cost).to_contain_text(re.compile(r"About \d+ credits"))
    boxes = page.locator("#outputs [type=checkbox]")
    boxes.last.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    expect(cost).to_contain_text(re.compile(r"About [\d.]+ of \d+ credits for 1 of 2 results"))
    expect(page.locator("#announcer")).to_contain_text("for 1 of 2 results")
    expect(run).to_be_enabled()
    assert page.evaluate("document.activeElement !== document.body")
    boxes.last.check()
    expect(cost).not_to_contain_text("results")


def test_without_scripts_a_button_updates_the_cost(guests: Guests) -> None:
    page = (visitor := guests(width=320, scripts=False)).page
    open_app(visitor, APP)
    page.locator("#outputs [type=checkbox]").last.uncheck()
    page.get_by_role("button", name="Update the cost").click()
    expect(page.locator("#launch-cost")).to_contain_text("for 1 of 2 results")
    expect(page.locator("#outputs [type=checkbox]").last).not_to_be_checked()
