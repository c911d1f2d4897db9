"""axe finds no problems on any page in any state, whether wide in light mode or narrow in dark mode."""

import os
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.acts import boxes, expect_state
from tests.browser.apps import CARTOONIFY
from tests.browser.scenes import scenes
from tests.browser.visitors import FINISHED, Gallery, Regulars, Visitor
from tests.browser.whole import Whole
from tests.support.page_checks import findings
from tests.support.photos import look, photograph

pytestmark = pytest.mark.browser
# Makes updates fade in within a millisecond; otherwise, axe would check elements that are still half transparent.
CALM: dict[str, Any] = {"reduced_motion": "reduce"}


# To axe, these cards' pages are no different from others.
LIKE_OTHERS = ("card-long-text", "card-long-names", "card-emoji", "card-twelve", "card-value-object")


SIGHTS = [(1280, 800, "light"), (320, 640, "dark")]


def expect_nothing(visitor: Visitor) -> None:
    """Expect axe to find nothing on the open page, whether wide (1280 px) and light or narrow (320 px) and dark."""
    visitor.watch.problems.is_blind = True
    found = []
    for width, height, scheme in SIGHTS:
        look(visitor.page, width, height, scheme)
        found += findings(visitor.page)
    look(visitor.page, *SIGHTS[0])
    photograph(visitor.page, os.environ.get("PYTEST_CURRENT_TEST", ""))
    assert found == []


@pytest.mark.parametrize("name", scenes)
def test_axe_finds_nothing(regulars: Regulars, whole: Whole, name: str) -> None:
    visitor = regulars(role=scenes[name].role, hasty=True, **CALM)
    scenes[name].act(visitor, whole)
    expect_nothing(visitor)


@pytest.mark.parametrize("app", [app for app in FINISHED if app not in LIKE_OTHERS])
def test_axe_finds_nothing_on_a_finished_run(regulars: Regulars, gallery: Gallery, app: str) -> None:
    visitor = regulars(email=gallery.email, **CALM)
    visitor.page.goto(f"/runs/{gallery.runs[app]}/")
    expect_nothing(visitor)


@pytest.mark.parametrize("path", ["/", "/history/", "/history/?view=list", "/history/?view=results"])
def test_axe_finds_nothing_where_runs_are_listed(regulars: Regulars, gallery: Gallery, path: str) -> None:
    visitor = regulars(email=gallery.email, **CALM)
    visitor.page.goto(path)
    expect(visitor.page.locator(".run-card").first).to_be_visible()
    expect_nothing(visitor)


def test_axe_finds_nothing_on_the_way_from_progress_to_cancelled(regulars: Regulars, whole: Whole) -> None:
    visitor = regulars(hasty=True, **CALM)
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


@pytest.mark.parametrize(
    ("app", "at"),
    [
        (CARTOONIFY, 0),  # its result has a picture
        ("card-value-object", 0),  # its result has several files
        ("sandbox-caption", 0),  # its result is text
        ("sandbox-caption", 1),  # its result is an audio file
        ("card-video-thumbnail", 0),
        ("card-unknown-output", 1),  # its result is a download
        ("card-half-fails", 1),
    ],
)
def test_axe_finds_nothing_on_the_page_of_a_result(regulars: Regulars, gallery: Gallery, app: str, at: int) -> None:
    visitor = regulars(email=gallery.email, **CALM)
    visitor.page.goto(f"/results/{visitor.whole.inside.ask('results', run=gallery.runs[app])[at]}/")
    expect_nothing(visitor)
