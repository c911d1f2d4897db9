"""Removing the sandbox's examples from Home, and Undo."""

import pytest
from playwright.sync_api import expect

from tests.browser.apps import LEFT_ALONE
from tests.browser.visitors import Guests
from tests.browser.whole import Whole
from tests.support.page_checks import SIDEWAYS

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("width", "scripts"), [(1280, True), (320, False)])
def test_one_press_empties_the_portal_and_undo_restores_it(
    guests: Guests, whole: Whole, width: int, scripts: bool
) -> None:
    admin = guests(role="admin", width=width, scripts=scripts)
    page, ask = admin.page, whole.inside.ask
    sam = ask("member", name="sam")["email"]
    ask("fill_history", email=admin.email, remote_id=LEFT_ALONE, count=1)  # otherwise, Home would show a welcome
    runs = [ask("example", email=sam, remote_id=LEFT_ALONE) for _ in range(2)]
    try:
        page.goto("/")
        press, undo = page.get_by_role("button", name="Start with an empty portal"), page.locator("#examples-undo")
        assert page.evaluate(SIDEWAYS) == ""

        press.press("Enter")

        expect(undo).to_be_focused()
        expect(press).to_have_count(0)
        assert page.evaluate(SIDEWAYS) == ""
        page.goto("/history/?tab=team")
        for run in runs:
            expect(page.locator(f"#card-{run}")).to_have_count(0)
        page.goto("/")
        undo.get_by_role("button", name="Undo").press("Enter")
        expect(press).to_be_visible()
        expect(undo).to_have_count(0)
        page.goto("/history/?tab=team")
        for run in runs:
            expect(page.locator(f"#card-{run}")).to_be_visible()

        page.goto("/")
        press.click()
        undo.get_by_role("button", name="Close").click()
        expect(undo).to_have_count(0)
        expect(press).to_have_count(0)
    finally:
        ask("forget_examples")
