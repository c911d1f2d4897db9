"""Overlaying two pictures: the line between them can be moved, and so can the pictures under it once they are
enlarged."""

import re

import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect

from tests.browser.visitors import Gallery, Guests
from tests.browser.whole import Whole
from tests.support.processes import wait_until

pytestmark = pytest.mark.browser
SHARES = r"translate\((.+)%, (.+)%\) scale\((.+)\)"


def overlaid(guests: Guests, gallery: Gallery, whole: Whole, width: int = 1280) -> Page:
    """Open the compare page for two pictures, and turn on the overlay."""
    results = whole.inside.ask("results", run=gallery.runs["card-twelve"])
    page = guests(email=gallery.email, width=width).page
    page.goto(f"/compare/?f={results[0]},{results[1]}")
    page.get_by_role("button", name="Overlay").click()
    expect(page.get_by_label("Where picture 1 ends")).to_be_focused()
    return page


def stage(page: Page) -> Locator:
    return page.get_by_role("group", name="1 and 2, overlaid")


def enlarge(page: Page) -> None:
    for _ in range(4):
        page.get_by_role("button", name="Zoom in").click()
    expect(page.locator("[data-scale]")).to_have_text("506 %")


def place(page: Page) -> tuple[float, float]:
    """Return how far both pictures have moved, in percent. They always move together."""
    styles = page.locator("#overlay [data-moved]").evaluate_all("all => all.map((one) => one.style.transform)")
    assert len(set(styles)) == 1, styles
    found = re.fullmatch(SHARES, styles[0])
    assert found, styles
    return float(found[1]), float(found[2])


def drag(page: Page, box: FloatRect, share: float, by: float) -> None:
    """Drag `by` pixels sideways, starting at `share` of the width of `box`."""
    x, y = box["x"] + box["width"] * share, box["y"] + box["height"] / 3
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by, y + 20, steps=4)
    page.mouse.up()


@pytest.mark.parametrize("width", [360, 1280])
def test_the_overlay_opens_with_all_of_its_picture_in_sight(
    guests: Guests, gallery: Gallery, whole: Whole, width: int
) -> None:
    page = overlaid(guests, gallery, whole, width)
    expect(stage(page)).to_be_in_viewport(ratio=1)
    expect(page.get_by_label("Where picture 1 ends")).to_be_in_viewport(ratio=1)


def test_enlarged_a_drag_moves_the_picture_and_the_line_alone_slides(
    guests: Guests, gallery: Gallery, whole: Whole
) -> None:
    page = overlaid(guests, gallery, whole)
    line = page.get_by_label("Where picture 1 ends")
    box = stage(page).bounding_box()
    assert box
    drag(page, box, 0.2, 0)
    expect(line).to_have_value("20")  # while the whole picture is visible, dragging anywhere moves the line
    enlarge(page)

    drag(page, box, 0.7, -60)

    by = pytest.approx((-6000 / box["width"], 2000 / box["height"]), abs=1)
    wait_until(lambda: place(page) == by, "the picture to follow")
    moved = place(page)
    expect(line).to_have_value("20")

    drag(page, box, 0.2, box["width"] / 4)

    expect(line).to_have_value("45")
    assert place(page) == moved


def test_enlarged_the_keys_move_the_picture_and_on_the_fields_they_slide(
    guests: Guests, gallery: Gallery, whole: Whole
) -> None:
    page = overlaid(guests, gallery, whole)
    enlarge(page)

    page.keyboard.press("Tab")  # pressed twice: from the buttons past the switch to the picture
    page.keyboard.press("Tab")
    expect(stage(page)).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    wait_until(lambda: place(page) == pytest.approx((-8, -8)), "the picture to follow")
    moved = place(page)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_label("Percentage of picture 1 shown")).to_have_value("51")
    page.get_by_label("Percentage of picture 1 shown").press("ArrowUp")
    expect(page.get_by_label("Where picture 1 ends")).to_have_value("52")
    assert place(page) == moved


def test_enlarged_both_are_the_originals_whenever_the_overlay_opens(
    guests: Guests, gallery: Gallery, whole: Whole
) -> None:
    page = overlaid(guests, gallery, whole)
    pictures = page.locator("#overlay img")
    expect(pictures.first).not_to_have_attribute("src", re.compile("/original"))
    enlarge(page)
    for n in range(2):
        expect(pictures.nth(n)).to_have_attribute("src", re.compile("/original"))

    page.reload()
    for _ in range(4):
        page.keyboard.press("+")  # the page says that this key enlarges, wherever the focus is
    expect(page.locator("[data-scale]")).to_have_text("506 %")
    page.get_by_role("button", name="Overlay slider").click()

    for n in range(2):
        expect(pictures.nth(n)).to_have_attribute("src", re.compile("/original"))
