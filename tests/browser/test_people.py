"""A new member joins through a link from an admin, on a phone without scripts and with no mail server."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.scenes.people import invited
from tests.browser.visitors import Guests
from tests.browser.whole import Whole

pytestmark = pytest.mark.browser


def test_an_admin_invites_by_link_and_the_newcomer_is_in(guests: Guests, whole: Whole) -> None:
    admin = guests("ada", role="admin")
    path = invited(admin, Name="Kim")
    copy = admin.page.locator(".fresh-link [data-copy]")
    admin.context.grant_permissions(["clipboard-read", "clipboard-write"])
    copy.click()
    expect(copy).to_contain_text("Copied")
    assert str(admin.page.evaluate("navigator.clipboard.readText()")).endswith(path)

    newcomer = guests("nobody", width=360, scripts=False, signed_in=False)
    page = newcomer.page
    page.goto(path)
    expect(page.get_by_label("Name")).to_have_value("Kim")
    page.get_by_label("Email address").fill("kim.new@acme.example")
    page.get_by_label("Password").fill("a long enough password")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("Welcome, Kim.")).to_be_visible()

    admin.page.goto("/manage/people/")
    expect(admin.page.get_by_role("button", name="Invite", exact=True)).to_be_in_viewport()  # without scrolling
    row = admin.page.locator(".person-row", has_text="kim.new@acme.example")
    expect(row).to_contain_text(re.compile(r"just now|\d min ago"))
    row.get_by_role("link", name="Kim").click()
    admin.page.get_by_label("Viewer").check()
    admin.page.get_by_role("button", name="Save role").click()
    expect(admin.page.get_by_text("Kim is now a viewer.")).to_be_visible()
    page.goto("/apps/")
    page.locator(".app-card a").first.click()
    expect(page.get_by_text("Your role is view-only, so you can't run apps.").first).to_be_visible()
