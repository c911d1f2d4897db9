"""An admin hides an app, locks a colour and sets a limit; a maker runs into all three, and the record shows every
step."""

import re
from secrets import token_hex
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.acts import open_app, press_run
from tests.browser.visitors import Guests, Visitor
from tests.browser.whole import Whole

pytestmark = pytest.mark.browser
APP, HIDDEN = "sandbox-pattern", "sandbox-vetrina"  # no other test uses these apps


@pytest.mark.parametrize(("width", "scripts"), [(1280, True), (320, False)])
def test_what_an_admin_decides_holds_and_is_recorded(guests: Guests, whole: Whole, width: int, scripts: bool) -> None:
    look: dict[str, Any] = {"width": width, "scripts": scripts, "reduced_motion": "reduce"}
    admin = guests(f"ada{token_hex(3)}", role="admin", **look)
    sam = guests(f"sam{token_hex(3)}", **look)
    manage(admin, HIDDEN)
    admin.page.get_by_label("Nobody: hide it").check()
    save(admin.page)
    manage(admin, APP)
    lock(admin.page, "Colours", "Mint")
    save(admin.page)
    try:
        limit(admin, sam, "1")
        meets_each(sam)
        limit(admin, sam, "500")
        run = press_after_opening(sam)
        whole.wait_for(run, "ready")
        sam.page.goto(f"/runs/{run}/")
        expect(sam.page.locator(".went-in")).to_contain_text("Mint")
        finds_every_step(admin, sam)
    finally:
        for app in (APP, HIDDEN):
            manage(admin, app)
            admin.page.get_by_role("link", name="Reset to Lamina's version").click()
            admin.page.get_by_role("button", name="Reset", exact=True).click()
            admin.page.wait_for_url(re.compile(r"/manage/apps/[^/]*-[^/]*/$"))


def manage(admin: Visitor, app: str) -> None:
    """Open the page where admins change the app's form."""
    path = admin.whole.inside.ask("app", remote_id=app)["path"]
    admin.page.goto(f"/manage{path}")


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved. Your changes apply from now on.")).to_be_visible()


def lock(page: Page, field: str, value: str) -> None:
    """Lock the options field to `value`."""
    page.locator("summary", has_text=field).click()
    part = page.locator("details.settings-field[open]")
    part.get_by_label("Locked").check()
    part.get_by_label("Value", exact=True).select_option(value)


def limit(admin: Visitor, person: Visitor, credits: str) -> None:
    """Set the person's own monthly limit."""
    page = admin.page
    page.goto("/manage/spending/limits/")
    page.get_by_role("link", name=name_of(person)).click()
    page.get_by_role("radio", name="Their own limit").check()
    page.get_by_role("textbox", name="Their own limit").fill(credits)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("applies from the next run")).to_be_visible()


def name_of(visitor: Visitor) -> str:
    return visitor.email.partition("-")[0].title()


def meets_each(sam: Visitor) -> None:
    """Check that the app is hidden and the colour is locked, and that the limit prevents the run, with a message that
    says who can raise it."""
    page = sam.page
    answer = page.goto(sam.whole.inside.ask("app", remote_id=HIDDEN)["path"])
    assert answer
    assert answer.status == 404
    expect(page.get_by_text("hidden from you")).to_contain_text("If you need it, ask an admin.")
    open_app(sam, APP)
    expect(page.locator(".locked-value")).to_have_text("Mint")
    expect(page.get_by_text("Set by an admin.")).to_be_visible()
    expect(page.get_by_text("To have your limit raised, ask an admin").first).to_be_visible()
    expect(page.get_by_role("button", name="Run", exact=True).last).to_be_disabled()


def press_after_opening(sam: Visitor) -> str:
    open_app(sam, APP)
    return press_run(sam.page)


def finds_every_step(admin: Visitor, sam: Visitor) -> None:
    """Export the charges, then expect the log to list this export and everything else that was done."""
    page = admin.page
    page.goto("/manage/spending/")
    admin.watch.problems.forgive("^console: htmx:")  # submitting the download form cancels a poll in progress
    with page.expect_download():
        page.get_by_role("button", name="Download as CSV").click()
    lines = acts_of(admin, admin)
    for said, times in {"App changed": 2, "Person's limit changed": 2, "Data exported": 1}.items():
        expect(lines.filter(has_text=said)).to_have_count(times)
    expect(lines.filter(has_text=name_of(sam))).to_have_count(2)  # the limit was set twice
    expect(acts_of(admin, sam).filter(has_text="Run started")).to_have_count(1)


def acts_of(admin: Visitor, person: Visitor) -> Locator:
    """Open the log and filter it by the person; return its lines."""
    page = admin.page
    page.goto("/manage/log/")
    page.get_by_label("Who").select_option(label=name_of(person))
    if page.get_by_role("button", name="Filter", exact=True).is_visible():
        page.get_by_role("button", name="Filter", exact=True).click()
    page.wait_for_url("**who=*")
    return page.locator(".log-line")
