"""States of Home, runs and History."""

from playwright.sync_api import expect

from tests.browser.acts import expect_state
from tests.browser.apps import LEFT_ALONE
from tests.browser.scenes.stage import scene, scene_of, started
from tests.browser.visitors import Visitor
from tests.browser.whole import Whole


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
    visitor.page.locator(".history-none h2").wait_for()


@scene
def history_with_some_chosen_and_a_menu_open(visitor: Visitor, whole: Whole) -> None:
    whole.inside.ask("fill_history", email=visitor.email, remote_id=LEFT_ALONE, count=3)
    visitor.page.goto("/history/?q=ghibli")
    visitor.page.locator(".run-card-tick input").first.check()
    visitor.page.locator(".run-card-open").nth(1).click()
    visitor.page.get_by_role("link", name="Change and run again").wait_for()


@scene
def list_of_shortcuts(visitor: Visitor, whole: Whole) -> None:
    visitor.page.goto("/help/keys/")


@scene_of("admin")
def health_for_admins(visitor: Visitor, whole: Whole) -> None:
    visitor.page.goto("/manage/")
