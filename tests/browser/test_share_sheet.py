"""A run's sharing sheet in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from runs.models import GuestLink, Member, Run
from tests.support.factories import make_kept, make_run

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("by_key", [False, True])
def test_closing_it_closes_the_menu_it_came_from(page: Page, alice: Member, by_key: bool) -> None:
    make_kept(make_run(alice, status="completed"))
    page.goto("/history/")
    more, sheet = page.get_by_role("button", name="More actions for"), page.get_by_role("dialog", name="Sharing")
    more.click()
    page.get_by_role("button", name="New guest link").click()
    expect(sheet.get_by_text("New guest link, ready to send. It works until")).to_be_visible()
    if by_key:
        page.keyboard.press("Escape")
    else:
        sheet.get_by_role("button", name="Close").click()

    expect(page.locator(".run-card-menu")).to_be_hidden()
    expect(more).to_be_focused()
    more.click()
    expect(page.locator(".run-card-menu")).to_be_visible()
    assert GuestLink.objects.count() == 1


def test_one_click_in_a_menu_shares_with_the_team_and_the_card_says_so(page: Page, alice: Member) -> None:
    run = make_run(alice, status="completed")
    make_kept(run)
    page.goto("/history/")
    who, sheet = page.locator(".run-card-who"), page.get_by_role("dialog", name="Sharing")
    expect(who).to_have_text("Only you")
    more = page.get_by_role("button", name="More actions for")
    more.click()
    page.get_by_role("button", name="Share with team").click()
    expect(sheet.get_by_text("The team can see this run now.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(who).to_have_text("Shared with the team")
    expect(more).to_be_focused()

    more.click()
    page.get_by_role("button", name="New guest link").click()
    expect(sheet.get_by_text("New guest link, ready to send. It works until")).to_be_visible()
    page.keyboard.press("Escape")
    expect(who).to_have_text("Team and guest link")
    assert Run.objects.get().shared_at is not None


def test_news_of_a_run_leaves_its_open_menu_alone(page: Page, alice: Member) -> None:
    run = make_run(alice)
    page.goto("/")
    card = page.locator(".run-card")
    page.get_by_role("button", name="More actions for").click()
    page.get_by_role("button", name="Share", exact=True).click()
    sheet = page.get_by_role("dialog", name="Sharing")
    expect(sheet.get_by_role("button", name="Team")).to_be_visible()
    Run.objects.filter(pk=run.pk).update(title="News", version=5)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # triggers a poll
    expect(sheet).to_be_visible()
    expect(card).not_to_contain_text("News")

    page.keyboard.press("Escape")

    expect(card).to_contain_text("News")
