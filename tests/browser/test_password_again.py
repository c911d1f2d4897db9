"""An admin who changes something for others is asked for their password once, in a browser, and nothing is lost."""

from collections.abc import Callable

import pytest
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect

from runs.models import Member
from runs.team.reauthentication import WRONG
from tests.support.clients import PASSWORD
from tests.support.factories import make_app
from tests.support.invites import PEOPLE
from tests.support.sessions import grow_old

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ASKED = "Enter your password"


def let_it_grow_old(context: BrowserContext) -> None:
    """Pretend that the signed-in person entered their password too long ago."""
    client = Client()
    client.cookies.load({str(cookie["name"]): str(cookie["value"]) for cookie in context.cookies()})
    grow_old(client)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_an_admin_is_asked_once_and_what_they_typed_is_done(
    new_context: Callable[..., BrowserContext], admin_member: Member, scripts: bool
) -> None:
    context = new_context(admin_member, java_script_enabled=scripts, viewport={"width": 360, "height": 740})
    let_it_grow_old(context)
    page = context.new_page()
    page.goto(PEOPLE)
    page.get_by_label("Name").fill("Kim")
    page.get_by_label("Viewer").check()
    page.get_by_role("button", name="Invite", exact=True).click()
    expect(page.get_by_role("heading", name=ASKED)).to_be_visible()
    give(page, "wrong")
    expect(page.get_by_role("alert")).to_have_text(WRONG)
    give(page, PASSWORD)
    expect(page.locator("#fresh")).to_contain_text("Link for Kim")
    expect(page.locator("#fresh")).to_contain_text("the role Viewer")


def test_a_form_sent_by_htmx_is_asked_on_a_whole_page(
    new_context: Callable[..., BrowserContext], admin_member: Member
) -> None:
    for name in ("Alpha", "Beta", "Gamma"):
        make_app(name)
    context = new_context(admin_member)
    let_it_grow_old(context)
    page = context.new_page()
    page.goto("/manage/apps/")
    page.get_by_role("button", name="Move Gamma up").click()
    expect(page.get_by_role("heading", name=ASKED)).to_be_visible()
    expect(page.get_by_role("navigation", name="Manage")).to_have_count(0)
    give(page, PASSWORD)
    expect(page.get_by_text("“Gamma” is now number 2 of 3.")).to_be_visible()
    page.get_by_role("button", name="Move Gamma up").click()  # the rest of the series isn't asked again
    expect(page.locator(".managed-message")).to_have_text("“Gamma” is now number 1 of 3.")


def give(page: Page, password: str) -> None:
    page.get_by_label("Password for").fill(password)
    page.get_by_role("button", name="Continue").click()
