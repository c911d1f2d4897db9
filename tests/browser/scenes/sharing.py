"""Sharing: the sheet, links and their options, the admins' rules, and what guests see."""

import re
from urllib.parse import urlsplit

from playwright.sync_api import expect

from tests.browser.scenes.stage import scene, scene_of, started
from tests.browser.visitors import Visitor
from tests.browser.whole import Whole
from tests.support.hostile_server import picture

PASSPHRASE = "green apples"


def shared(visitor: Visitor) -> str:
    """Create a guest link on the page of a new run; return the link's path."""
    started(visitor, "card-instant", "ready")
    visitor.page.get_by_role("button", name="Guest link").click()
    address = visitor.page.locator(".share-link.is-fresh code").first
    address.wait_for()
    return urlsplit(address.text_content() or "").path


def with_passphrase(visitor: Visitor) -> str:
    """Create a guest link that asks for PASSPHRASE; return its path."""
    path = shared(visitor)
    visitor.page.get_by_role("link", name="Options").click()
    visitor.page.get_by_label("Passphrase").fill(PASSPHRASE)
    visitor.page.get_by_label("Who it's for").fill("Kim at Acme")
    visitor.page.get_by_role("button", name="Save").click()
    visitor.page.get_by_text("Saved.").wait_for()
    return path


@scene
def shared_from_a_card(visitor: Visitor, whole: Whole) -> None:
    run = started(visitor, "card-instant", "ready")
    visitor.page.goto("/history/")
    visitor.page.locator(f"#card-{run} .run-card-open").click()
    visitor.page.get_by_role("button", name="New guest link").click()
    visitor.page.locator(".share-sheet .share-link.is-fresh").wait_for()


@scene
def shared_from_a_result(visitor: Visitor, whole: Whole) -> None:
    run = started(visitor, "card-instant", "ready")
    visitor.page.goto(f"/results/{whole.inside.ask('results', run=run)[0]}/")
    visitor.page.get_by_role("button", name="Share").click()
    visitor.page.get_by_role("button", name="Guest link").click()
    visitor.page.locator(".share-sheet .is-fresh").get_by_text("1 result").wait_for()


@scene
def one_link_for_many(visitor: Visitor, whole: Whole) -> None:
    for _ in range(2):
        started(visitor, "card-instant", "ready")
    visitor.page.goto("/history/")
    for box in visitor.page.locator(".run-card-tick input").all():
        box.check()
    visitor.page.get_by_role("button", name="Guest link", exact=True).click()
    expect(visitor.page.locator(".link-outputs :checked")).to_have_count(2)


@scene
def press_that_did_not_get_through(visitor: Visitor, whole: Whole) -> None:
    started(visitor, "card-instant", "ready")
    visitor.page.goto("/history/")
    visitor.page.route("**/star/", lambda route: route.fulfill(status=404))
    visitor.page.locator(".run-card-tick input").check()
    visitor.page.locator(".run-card-star button").click()
    visitor.page.get_by_role("alert").wait_for()
    visitor.watch.problems.forgive("htmx:responseError|Response Status Error")


@scene_of("viewer")
def home_of_a_viewer(visitor: Visitor, whole: Whole) -> None:
    visitor.page.goto("/")
    visitor.page.get_by_role("heading", name="Nothing shared yet").or_(
        visitor.page.locator(".run-card").first
    ).first.wait_for()


@scene_of("viewer")
def history_of_a_viewer(visitor: Visitor, whole: Whole) -> None:
    visitor.page.goto("/history/")
    expect(visitor.page).to_have_url(re.compile(r"\?tab=team$"))


@scene
def link_options_refused(visitor: Visitor, whole: Whole) -> None:
    shared(visitor)
    page = visitor.page
    page.get_by_role("link", name="Options").click()
    for tick in page.locator("[name=o]").all():
        tick.uncheck()
    page.get_by_label("Passphrase").fill("abc")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("alert").wait_for()


@scene
def links_listed(visitor: Visitor, whole: Whole) -> None:
    shared(visitor)
    visitor.page.get_by_role("button", name="Revoke").click()
    visitor.page.get_by_role("button", name="Undo").wait_for()
    visitor.page.get_by_role("button", name="Guest link").click()
    visitor.page.locator(".share-link.is-fresh").wait_for()
    visitor.page.goto("/shares/")
    expect(visitor.page.locator(".link-row")).to_have_count(2)


@scene_of("viewer")
def links_of_nobody(visitor: Visitor, whole: Whole) -> None:
    visitor.page.goto("/shares/")


@scene_of("admin")
def sharing_rules(visitor: Visitor, whole: Whole) -> None:
    shared(visitor)
    visitor.page.goto("/manage/sharing/")
    visitor.page.get_by_label("Company name").fill("Oak & Sons")
    visitor.page.get_by_label("Logo optional").set_input_files(
        {"name": "oak.png", "mimeType": "image/png", "buffer": picture(600, 200)}
    )
    visitor.page.get_by_role("button", name="Save").click()
    visitor.page.get_by_role("img", name="Current logo").wait_for()


@scene
def guest_with_a_link(visitor: Visitor, whole: Whole) -> None:
    visitor.page.goto(shared(visitor))
    expect(visitor.page.locator(".guest-stage img").first).to_be_visible()


@scene
def guest_with_a_wrong_passphrase(visitor: Visitor, whole: Whole) -> None:
    visitor.page.goto(with_passphrase(visitor))
    visitor.page.get_by_label("Passphrase").fill("red pears")
    visitor.page.get_by_role("button", name="Open").click()
    visitor.page.get_by_role("alert").wait_for()


@scene
def guest_with_a_link_that_is_none(visitor: Visitor, whole: Whole) -> None:
    visitor.page.goto("/s/made-up/")
