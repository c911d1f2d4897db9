"""States of the catalogue and the form."""

import re

from playwright.sync_api import expect

from tests.browser.acts import a_photo, choose, hand_over, open_app, tiles
from tests.browser.apps import CATALOG_SET
from tests.browser.scenes.stage import scene, scene_of
from tests.browser.visitors import Visitor
from tests.browser.whole import Whole


@scene
def apps(visitor: Visitor, whole: Whole) -> None:
    visitor.page.goto("/apps/")


@scene
def apps_without_a_match(visitor: Visitor, whole: Whole) -> None:
    visitor.page.goto("/apps/")
    visitor.page.get_by_label("Search apps").fill("no such thing")
    visitor.page.get_by_role("heading", name="No app ").wait_for()


def suggest(visitor: Visitor, whole: Whole, q: str) -> None:
    """Search for `q` as if nobody had searched for it on Lamina before."""
    number = whole.inside.ask("forget_searches")
    whole.lamina.control("apps", app={"appId": f"beyond-{number}", "name": "Dental advert"}, listed=False)
    visitor.page.goto(f"/apps/?q={q}")


@scene
def apps_suggested_by_lamina(visitor: Visitor, whole: Whole) -> None:
    suggest(visitor, whole, "dental+cartoon")
    visitor.page.locator("#lamina .app-row").first.wait_for()


@scene
def apps_while_lamina_is_asked(visitor: Visitor, whole: Whole) -> None:
    whole.lamina.control("faults", endpoint="discover", fault="delay", seconds=14, times=1)
    suggest(visitor, whole, "cartoon")
    visitor.page.locator(".is-asking .lamina-wait").first.wait_for()


@scene
def apps_when_lamina_fails(visitor: Visitor, whole: Whole) -> None:
    for endpoint in ("discover", "search"):
        whole.lamina.control("faults", endpoint=endpoint, fault="status", status=500, times=1)
    suggest(visitor, whole, "cartoon")
    visitor.page.get_by_role("link", name="Ask again").wait_for()


@scene
def form_on_its_way(visitor: Visitor, whole: Whole) -> None:
    suggest(visitor, whole, "dental")
    whole.lamina.control("faults", endpoint="app", fault="delay", seconds=9, times=1)
    visitor.page.locator("#lamina .card-link").last.click()
    visitor.page.locator(".is-waiting .skeleton").first.wait_for()


@scene
def form_fresh(visitor: Visitor, whole: Whole) -> None:
    open_app(visitor)


@scene
def form_unfolded(visitor: Visitor, whole: Whole) -> None:
    open_app(visitor, CATALOG_SET)
    for more in visitor.page.locator("details > summary").all():
        more.click()


@scene
def form_with_errors(visitor: Visitor, whole: Whole) -> None:
    open_app(visitor, "card-same-inputs")
    visitor.page.locator(".launch-run").click()
    visitor.page.locator("#errors").wait_for()


@scene
def form_with_files(visitor: Visitor, whole: Whole) -> None:
    page = visitor.page
    open_app(visitor, "card-many-pictures")
    choose(page, a_photo("one.png"), a_photo("two.png"))
    expect(tiles(page)).to_have_count(2)
    choose(page, {"name": "broken.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n" + b"0" * 99})
    page.locator(".upload-error").wait_for()
    page.route("**/uploads/?app=*", lambda route: None)
    choose(page, a_photo("under way.png"))
    page.locator(".is-sending").wait_for()
    hand_over(page.locator(".upload").first, "drop", "no link")


@scene_of("viewer")
def form_blocked(visitor: Visitor, whole: Whole) -> None:
    open_app(visitor)
    expect(visitor.page.get_by_text("Your role is view-only, so you can't run apps.")).to_be_visible()


@scene
def form_changed_behind_the_page(visitor: Visitor, whole: Whole) -> None:
    open_app(visitor, "card-extra-fields")
    whole.inside.ask("change_form", remote_id="card-extra-fields")
    visitor.page.get_by_text(re.compile("form has just changed")).wait_for()


@scene
def form_whose_draft_was_changed_elsewhere(visitor: Visitor, whole: Whole) -> None:
    open_app(visitor, "sandbox-quick-reel")
    words = {"Describe your idea": "A fox"}
    whole.inside.ask("draft", email=visitor.email, remote_id="sandbox-quick-reel", **words)
    visitor.page.get_by_label("Describe your idea").fill("A hare")
    visitor.page.get_by_role("button", name="Use this one instead").wait_for()


@scene
def form_of_hostile_names(visitor: Visitor, whole: Whole) -> None:
    open_app(visitor, "card-markup")


@scene
def form_from_right_to_left(visitor: Visitor, whole: Whole) -> None:
    open_app(visitor, "card-rtl")
