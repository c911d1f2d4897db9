"""The record: the log that admins see, and the part of it that a run's page shows."""

from tests.browser.apps import CARTOONIFY
from tests.browser.scenes.stage import scene, scene_of, started
from tests.browser.visitors import Visitor
from tests.browser.whole import Whole


@scene_of("admin")
def log_with_filters(visitor: Visitor, whole: Whole) -> None:
    page = visitor.page
    started(visitor, "card-instant", "final")
    page.goto("/manage/log/")
    page.get_by_text("More filters").click()
    page.get_by_label("What").select_option("Run started")
    page.wait_for_url("**act=run.started**")
    page.locator(".log-line", has_text="Run started").first.wait_for()


@scene
def record_of_a_run(visitor: Visitor, whole: Whole) -> None:
    started(visitor, CARTOONIFY, "final")
    visitor.page.locator(".log-section summary").click()
    visitor.page.locator(".log-line", has_text="Run started").wait_for()
