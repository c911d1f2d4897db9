"""An admin who manages people is asked for their password once, in a real browser, and nothing typed is lost."""

from collections.abc import Callable

import pytest
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect

from runs.models import Member
from runs.team.reauthentication import WRONG
from tests.support.clients import PASSWORD
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
    new_context: Callable[..., BrowserContext], admin_member: Member, alice: Member
) -> None:
    context = new_context(admin_member)
    let_it_grow_old(context)
    page = context.new_page()
    path = f"{PEOPLE}{alice.public_id}/"
    page.goto(path)
    form = page.locator("form", has=page.get_by_role("button", name="Save role"))
    form.evaluate("(form, path) => { form.setAttribute('hx-post', path); htmx.process(form); }", path)
    page.get_by_label("Viewer").check()
    page.get_by_role("button", name="Save role").click()
    expect(page.get_by_role("heading", name=ASKED)).to_be_visible()
    expect(page.get_by_role("navigation", name="Manage")).to_have_count(0)
    give(page, PASSWORD)
    expect(page.get_by_text("Alice is now a viewer.")).to_be_visible()


def give(page: Page, password: str) -> None:
    page.get_by_label("Password for").fill(password)
    page.get_by_role("button", name="Continue").click()
