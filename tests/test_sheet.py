"""The sheet in which a run's sharing opens above the page, in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from runs.models import GuestLink, Member
from tests.factories import make_kept, make_run

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("by_key", [False, True])
def test_closing_it_closes_the_menu_it_came_from(page: Page, alice: Member, by_key: bool) -> None:
    make_kept(make_run(alice, status="completed"))
    page.goto("/history/")
    more, sheet = page.get_by_role("button", name="More for"), page.get_by_role("dialog", name="Sharing")
    more.click()
    page.get_by_role("button", name="Copy a guest link").click()
    expect(sheet.get_by_text("The link is made.")).to_be_visible()
    if by_key:
        page.keyboard.press("Escape")
    else:
        sheet.get_by_role("button", name="Close").click()

    expect(page.locator(".run-card-menu")).to_be_hidden()
    expect(more).to_be_focused()
    more.click()
    expect(page.locator(".run-card-menu")).to_be_visible()
    assert GuestLink.objects.count() == 1
