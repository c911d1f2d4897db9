"""Everything important is in view: on a phone, nothing scrolls sideways or hides under a bar, and on a laptop, results
begin near the top."""

import re
from itertools import pairwise

import pytest
from playwright.sync_api import Locator, Page, expect

from runs.display.run_sentences import slow_words
from runs.words.run_states import WAITS
from tests.browser.apps import CARTOONIFY, LEFT_ALONE
from tests.browser.visitors import Gallery, Guests
from tests.browser.whole import Whole
from tests.support.keys import Keys

pytestmark = pytest.mark.browser
ROOM = 44  # px, large enough for a thumb
HALF = "card-half-fails"
LONG_NAMES = "card-long-names"


def box(it: Locator) -> dict[str, float]:
    found = it.bounding_box()
    assert found, it
    x, y, width, height = found["x"], found["y"], found["width"], found["height"]
    return {"x": x, "y": y, "width": width, "height": height, "right": x + width, "bottom": y + height}


def at_run(guests: Guests, gallery: Gallery, app: str, *, width: int = 360, scripts: bool = True) -> Page:
    page = guests(email=gallery.email, width=width, scripts=scripts).page
    page.goto(f"/runs/{gallery.runs[app]}/")
    return page


@pytest.mark.parametrize("width", [320, 360])
def test_a_run_has_its_acts_in_one_row_without_a_hidden_part(guests: Guests, gallery: Gallery, width: int) -> None:
    page = at_run(guests, gallery, HALF, width=width)
    acts = [box(page.locator(f"#run-{name}")) for name in ("change", "share", "download", "ask", "more")]
    assert all(act["right"] <= width and min(act["width"], act["height"]) >= ROOM for act in acts)
    assert max(act["y"] for act in acts) - min(act["y"] for act in acts) < 4
    assert acts[0]["width"] > 2 * ROOM
    assert page.locator(".run-actions").evaluate("it => it.scrollWidth <= it.clientWidth")
    expect(page.get_by_role("link", name="Share")).to_be_visible()  # screen readers still announce its name
    expect(page.locator("#run-same")).to_be_hidden()


SAY = """
([ready, clock, words]) => {
  document.querySelector(".run-sentence > .state-chip").textContent = "⧗ In progress";
  document.querySelector(".run-sentence > span:not(.state-chip, .run-clock)").textContent = ready;
  document.querySelector(".run-clock").textContent = clock;
  document.querySelector(".run-note").textContent = words;
}
"""


@pytest.mark.parametrize("width", [320, 360])
def test_no_word_about_a_run_that_goes_on_moves_its_results(guests: Guests, whole: Whole, width: int) -> None:
    visitor = guests(width=width)
    run = whole.inside.ask("stay", email=visitor.email, remote_id=LEFT_ALONE, status="starting")
    visitor.page.goto(f"/runs/{run}/")
    results = visitor.page.locator(".run-results")
    before = box(results)["y"]
    for words in (slow_words(1), *map(str, WAITS.values())):
        visitor.page.evaluate(SAY, ["0 of 2 ready", "0:09 · usually about 2 s", words])
        assert box(results)["y"] == before, words


@pytest.mark.parametrize("width", [320, 360])
def test_long_button_labels_leave_room_for_the_name_of_a_result(guests: Guests, gallery: Gallery, width: int) -> None:
    """German labels, for example, can be twice as long as English ones."""
    page = at_run(guests, gallery, CARTOONIFY, width=width)
    page.locator(".output-tool").first.evaluate("it => it.append(' Herunterladen')")
    label = page.locator(".output-label").first
    assert box(label)["width"] >= ROOM
    expect(page.locator(".output-tools").first).to_be_visible()
    assert page.locator(".output-caption").first.evaluate("it => it.scrollWidth <= it.clientWidth")


def test_the_rest_is_behind_three_dots_by_keyboard(guests: Guests, gallery: Gallery) -> None:
    page = at_run(guests, gallery, HALF)
    press = page.keyboard.press
    page.locator("#run-more").focus()
    press("Enter")
    for name in ("retry-link", "same", "compare", "hold", "delete"):
        press("Tab")
        expect(page.locator(f"#run-{name}")).to_be_focused()
    press("Escape")
    expect(page.locator("#run-more")).to_be_focused()
    expect(page.locator("#run-same")).to_be_hidden()
    press("Enter")
    page.locator("#run-retry-link").click()
    expect(page.locator("#run-same")).to_be_hidden()  # an open menu would cover the link's target
    expect(page.locator("#run-retry")).to_be_in_viewport()


def test_three_dots_open_without_scripts(guests: Guests, gallery: Gallery) -> None:
    page = at_run(guests, gallery, CARTOONIFY, scripts=False)
    page.get_by_role("button", name="More actions for this run").click()
    page.get_by_role("link", name="Run the same again").click()
    expect(page.get_by_role("heading", name="Run the same again?")).to_be_visible()


def test_news_wait_for_an_open_menu(guests: Guests, gallery: Gallery) -> None:
    page = at_run(guests, gallery, CARTOONIFY)
    page.evaluate("document.body.append(Object.assign(document.createElement('div'), { id: 'live' }))")
    waits = """() => !document.getElementById("live").dispatchEvent(
        new CustomEvent("htmx:beforeRequest", { bubbles: true, cancelable: true }))"""
    assert not page.evaluate(waits)
    page.locator("#run-more").click()
    assert page.evaluate(waits)


@pytest.mark.parametrize("app", [CARTOONIFY, HALF, LONG_NAMES])
def test_on_a_laptop_a_finished_run_begins_with_its_results(guests: Guests, gallery: Gallery, app: str) -> None:
    """One line each for title, state and actions; then the results, across the whole width beside the inputs."""
    page = at_run(guests, gallery, app, width=1280)
    page.set_viewport_size({"width": 1280, "height": 800})
    lines = [box(page.locator(css)) for css in (".run-title", ".run-status", ".run-actions")]
    assert [line["height"] < height for line, height in zip(lines, (40, 30, 45), strict=True)] == [True] * 3
    acts = [box(page.locator(f"#run-{name}")) for name in ("change", "share", "download", "ask", "more")]
    assert [act["x"] for act in acts] == sorted(act["x"] for act in acts)
    expect(page.locator("#run-same")).to_be_hidden()
    stages = [box(stage) for stage in page.locator(".output-stage").all()]
    first_row = [stage for stage in stages if stage["y"] == stages[0]["y"]]
    assert stages[0]["y"] < 260
    assert first_row[-1]["right"] == box(page.locator(".run-results"))["right"]
    page.locator("#run-more").click()
    expect(page.locator("#run-same")).to_be_in_viewport(ratio=1)
    assert box(page.locator("#run-menu"))["y"] >= acts[-1]["bottom"]


@pytest.mark.parametrize(("width", "least"), [(320, 3), (1280, 7), (1920, 7)])
def test_results_of_all_runs_are_one_sheet(guests: Guests, gallery: Gallery, width: int, least: int) -> None:
    """As many in a row as fit, edge to edge; a result's name and run appear for whoever looks closer."""
    page = guests(email=gallery.email, width=width).page
    page.goto("/history/?view=results")
    expect(page.locator(".runs-with-tiles h3")).to_have_count(0)
    sheet, tiles = box(page.locator("#history-results")), [box(tile) for tile in page.locator(".result-card").all()]
    row = [tile for tile in tiles if tile["y"] == tiles[0]["y"]]
    assert len(row) >= least
    assert row[0]["x"] == sheet["x"]
    assert abs(row[-1]["right"] - sheet["right"]) < 1
    assert all(right["x"] - left["right"] < 4 for left, right in pairwise(row))
    name = page.locator(".result-card:has(.mosaic) .card-title").first
    expect(name).to_have_css("opacity", "0")
    name.locator("a").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    expect(name).to_have_css("opacity", "1")
    expect(name).to_contain_text(re.compile(r"\w+ .*\w+"))


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("app", [CARTOONIFY, LONG_NAMES])
def test_pencil_and_star_stand_at_the_end_of_the_title(guests: Guests, gallery: Gallery, app: str, width: int) -> None:
    page = at_run(guests, gallery, app, width=width)
    name, end = box(page.locator("h1")), 0.0
    for tool in (page.locator(".run-rename > summary"), page.locator(".run-title .star-button")):
        assert name["y"] - ROOM / 2 < box(tool)["y"] < name["bottom"]
        assert 0 <= box(tool)["x"] - max(name["right"], end) < 20
        end = box(tool)["right"]
    assert end <= width


@pytest.mark.parametrize("app", [CARTOONIFY, "card-long-text"])
def test_a_result_has_its_acts_above_the_bottom_bar(guests: Guests, gallery: Gallery, whole: Whole, app: str) -> None:
    page = guests(email=gallery.email, width=360).page
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"/results/{whole.inside.ask('results', run=gallery.runs[app])[0]}/")
    bar = box(page.locator(".bar-words"))
    acts = page.locator(".file-actions > .button:visible")
    for act in acts.all():
        assert box(act)["bottom"] <= bar["y"]
        assert min(box(act)["width"], box(act)["height"]) >= ROOM
    expect(acts.nth(0)).to_have_text("Decide")
    expect(acts.nth(1)).to_have_text("Download" if app == CARTOONIFY else "Copy text")
    expect(acts.nth(2)).to_have_text("Share")
    assert box(acts.nth(0))["width"] > 2 * box(acts.nth(1))["width"]
    page.locator("#file-more").click()
    expect(page.get_by_role("link", name="Compare")).to_be_in_viewport()
    page.keyboard.press("Escape")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    assert box(page.locator(".provenance"))["bottom"] <= box(page.locator(".file-actions"))["y"]


@pytest.mark.parametrize("width", [320, 1280])
def test_no_stop_of_tab_at_a_result_is_unmarked_or_under_a_bar(
    guests: Guests, gallery: Gallery, whole: Whole, width: int
) -> None:
    page = guests(email=gallery.email, width=width).page
    keys = Keys(page)
    page.goto(f"/results/{whole.inside.ask('results', run=gallery.runs[CARTOONIFY])[0]}/")
    assert keys.tab_through() > 8
    assert keys.bad == []
