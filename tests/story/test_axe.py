"""axe finds nothing on any page in any state: wide and light, narrow and dark."""

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.story.acts import a_photo, boxes, choose, expect_state, hand_over, open_app, sign_in, tiles
from tests.story.apps import CATALOG_SET, LEFT_ALONE
from tests.story.conftest import FINISHED, Gallery, Guests, Visitor
from tests.story.whole import Whole

pytestmark = pytest.mark.browser
Scene = Callable[[Visitor, Whole], None]
scenes: dict[str, Scene] = {}
QUICK = {"preload": False, "resultTypes": ["violations"]}
STILL = """
() => Promise.all(document.getAnimations()
  .filter((one) => one.effect.getComputedTiming().endTime < 9e3).map((one) => one.finished.catch(() => {})))
"""


def scene(make: Scene) -> Scene:
    """Register a function that brings the visitor's page into the state it is named after."""
    scenes[make.__name__] = make
    return make


def findings(page: Page) -> list[str]:
    """What axe has to say about the page as it stands: rule, place and reason."""
    page.evaluate(STILL)  # half-faded words have half their contrast
    found = Axe().run(page, options=QUICK).response["violations"]
    return [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in found for node in one["nodes"]]


def started(visitor: Visitor, app: str, state: str, **values: str) -> str:
    """Open the page of a fresh run of APP once it is in STATE."""
    run = str(visitor.whole.inside.ask("start", email=visitor.email, remote_id=app, **values))
    visitor.whole.wait_for(run, state)
    visitor.page.goto(f"/runs/{run}/")
    return run


@scene
def sign_in_page(visitor: Visitor, whole: Whole) -> None:
    visitor.page.context.clear_cookies()
    visitor.page.goto("/")


@scene
def sign_in_with_a_wrong_password(visitor: Visitor, whole: Whole) -> None:
    sign_in_page(visitor, whole)
    visitor.page.get_by_label("Mail address").fill("nobody@example.com")
    visitor.page.get_by_label("Password").fill("wrong")
    visitor.page.keyboard.press("Enter")
    visitor.page.get_by_role("alert").wait_for()


@scene
def signed_out_meanwhile(visitor: Visitor, whole: Whole) -> None:
    open_app(visitor)
    whole.inside.ask("expire", email=visitor.email)
    visitor.page.locator(".launch-run").click()
    visitor.page.get_by_text("You were signed out meanwhile.").wait_for()


@scene
def signed_in_again(visitor: Visitor, whole: Whole) -> None:
    signed_out_meanwhile(visitor, whole)
    sign_in(visitor)
    visitor.page.get_by_role("heading", name="You're signed in again").wait_for()


@scene
def home_on_the_first_visit(visitor: Visitor, whole: Whole) -> None:
    visitor.page.goto("/")
    visitor.page.get_by_role("heading", name="Make your first picture").wait_for()


@scene
def home_busy(visitor: Visitor, whole: Whole) -> None:
    for status in ("starting", "checking"):
        whole.inside.ask("stay", email=visitor.email, remote_id=LEFT_ALONE, status=status)
    whole.script("card-slow", outcome="never")
    run = whole.inside.ask("start", email=visitor.email, remote_id="card-slow")
    started(visitor, "card-instant", "ready")
    whole.move(whole.remote_id(run), "running", ready=1)
    visitor.page.goto("/")
    expect(visitor.page.locator(f"#card-{run} .run-card-badge")).to_have_text("1 of 2 ready")


@scene
def menu_open(visitor: Visitor, whole: Whole) -> None:
    visitor.page.goto("/history/")
    visitor.page.get_by_role("button", name="your menu").click()


@scene
def apps(visitor: Visitor, whole: Whole) -> None:
    visitor.page.goto("/apps/")


@scene
def apps_without_a_match(visitor: Visitor, whole: Whole) -> None:
    visitor.page.goto("/apps/")
    visitor.page.get_by_label("Search apps").fill("no such thing")
    visitor.page.get_by_role("heading", name="No app for").wait_for()


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
    page.route("**/uploads/", lambda route: None)
    choose(page, a_photo("under way.png"))
    page.locator(".is-sending").wait_for()
    hand_over(page.locator(".upload").first, "drop", "no link")


@scene
def form_blocked(visitor: Visitor, whole: Whole) -> None:
    open_app(visitor)
    expect(visitor.page.get_by_text("Your role lets you look, not run.")).to_be_visible()


@scene
def form_changed_behind_the_page(visitor: Visitor, whole: Whole) -> None:
    open_app(visitor, "card-extra-fields")
    whole.inside.ask("change_form", remote_id="card-extra-fields")
    visitor.page.get_by_text(re.compile("form has just changed")).wait_for()


@scene
def form_of_hostile_names(visitor: Visitor, whole: Whole) -> None:
    open_app(visitor, "card-markup")


@scene
def form_from_right_to_left(visitor: Visitor, whole: Whole) -> None:
    open_app(visitor, "card-rtl")


@scene
def run_starting(visitor: Visitor, whole: Whole) -> None:
    run = whole.inside.ask("stay", email=visitor.email, remote_id=LEFT_ALONE, status="starting")
    visitor.page.goto(f"/runs/{run}/")
    expect_state(visitor.page, "Starting")


@scene
def run_checking(visitor: Visitor, whole: Whole) -> None:
    run = whole.inside.ask("stay", email=visitor.email, remote_id=LEFT_ALONE, status="checking")
    visitor.page.goto(f"/runs/{run}/")
    expect_state(visitor.page, "Checking")


@scene
def run_that_asks(visitor: Visitor, whole: Whole) -> None:
    run = whole.inside.ask("stay", email=visitor.email, remote_id=LEFT_ALONE, status="checking", asks=True)
    visitor.page.goto(f"/runs/{run}/")
    visitor.page.get_by_role("button", name="Start again").wait_for()


@scene
def history_empty(visitor: Visitor, whole: Whole) -> None:
    visitor.page.goto("/history/")


@scene
def history_without_a_match(visitor: Visitor, whole: Whole) -> None:
    whole.inside.ask("fill_history", email=visitor.email, remote_id=LEFT_ALONE, count=1)
    visitor.page.goto("/history/?q=nothing&state=ready")
    visitor.page.get_by_role("heading", name="No run matches").wait_for()


@scene
def health_for_admins(visitor: Visitor, whole: Whole) -> None:
    visitor.page.goto("/manage/")


@scene
def not_found(visitor: Visitor, whole: Whole) -> None:
    visitor.page.goto("/nowhere/")


@scene
def form_too_old_to_be_sent(visitor: Visitor, whole: Whole) -> None:
    visitor.page.goto("/history/")
    visitor.page.context.clear_cookies(name="csrftoken")
    visitor.page.get_by_role("button", name="your menu").click()
    visitor.page.get_by_role("button", name="Sign out").click()
    visitor.page.get_by_role("heading", level=1).wait_for()


LIKE_OTHERS = ("card-long-text", "card-long-names", "card-emoji", "card-twelve")  # to axe
ROLES = {"form_blocked": "viewer", "health_for_admins": "admin"}


def expect_nothing(visitor: Visitor) -> None:
    """axe finds nothing on the open page: at 1280 px in light, at 320 px in dark."""
    page = visitor.page
    visitor.watch.is_blind = True
    found = findings(page)
    page.set_viewport_size({"width": 320, "height": 640})
    page.emulate_media(color_scheme="dark")
    found += findings(page)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 800})
    assert found == []


@pytest.mark.parametrize("name", scenes)
def test_axe_finds_nothing(guests: Guests, whole: Whole, name: str) -> None:
    visitor = guests(role=ROLES.get(name, "maker"), hasty=True)
    scenes[name](visitor, whole)
    expect_nothing(visitor)


@pytest.mark.parametrize("app", [app for app in FINISHED if app not in LIKE_OTHERS])
def test_axe_finds_nothing_on_a_finished_run(guests: Guests, gallery: Gallery, app: str) -> None:
    visitor = guests(email=gallery.email)
    visitor.page.goto(f"/runs/{gallery.runs[app]}/")
    expect_nothing(visitor)


@pytest.mark.parametrize("path", ["/", "/history/", "/history/?view=list"])
def test_axe_finds_nothing_where_runs_are_listed(guests: Guests, gallery: Gallery, path: str) -> None:
    visitor = guests(email=gallery.email)
    visitor.page.goto(path)
    expect(visitor.page.locator(".run-card").first).to_be_visible()
    expect_nothing(visitor)


def test_axe_finds_nothing_on_the_way_from_progress_to_cancelled(guests: Guests, whole: Whole) -> None:
    visitor = guests(hasty=True)
    page = visitor.page
    whole.script("card-slow", outcome="never")
    run = whole.inside.ask("start", email=visitor.email, remote_id="card-slow")
    page.goto(f"/runs/{run}/")
    whole.move(whole.remote_id(run), "running", ready=1)
    boxes(page).first.locator("img").wait_for()
    expect_nothing(visitor)
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("heading", name="Cancel this run?").wait_for()
    expect_nothing(visitor)
    page.get_by_role("button", name="Cancel the run").click()
    expect_state(page, "Cancelled")
    expect_nothing(visitor)
