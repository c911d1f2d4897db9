"""Comparing pictures by keyboard, and filling in a form from a preset or an example."""

import pytest
from playwright.sync_api import expect

from tests.browser.acts import expect_picture, open_app, press_run, tiles
from tests.browser.scenes.reuse import named_preset, pictures_compared
from tests.browser.visitors import Guests
from tests.browser.whole import Whole
from tests.support.page_checks import SIDEWAYS
from tests.support.processes import wait_until

pytestmark = pytest.mark.browser
ROOM = "sandbox-room"  # no other test runs this app, so its form offers only the examples made here
TRANSFORMS = "images => images.map((image) => image.style.transform)"


def test_pictures_zoom_move_and_slide_together_by_keyboard(guests: Guests, whole: Whole) -> None:
    visitor = guests()
    page = visitor.page
    pictures_compared(visitor, whole)
    images = page.locator(".compare-columns [data-moved]")
    page.locator(".compare-columns [data-stage]").first.focus()

    for key in ("+", "+", "ArrowLeft"):
        page.keyboard.press(key)

    expect(page.locator("[data-scale]")).to_have_text("225 %")
    wait_until(lambda: images.evaluate_all(TRANSFORMS) == ["translate(8%, 0%) scale(2.25)"] * 2, "both to follow")
    page.keyboard.press("0")
    expect(page.locator("[data-scale]")).to_have_text("100 %")

    page.get_by_role("button", name="Overlay slider").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("slider")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("spinbutton")).to_have_value("51")
    page.get_by_role("spinbutton").fill("20")
    expect(page.get_by_role("slider")).to_have_value("20")
    assert page.locator("[data-over]").evaluate("it => it.style.clipPath").replace("0px", "0") == "inset(0 0 0 20%)"


def test_a_preset_from_the_form_keeps_its_file_and_names_its_run(guests: Guests, whole: Whole) -> None:
    visitor = guests()
    page = visitor.page
    named_preset(visitor)
    page.goto(page.url.partition("?")[0])
    expect(tiles(page)).to_have_count(0)

    page.get_by_role("link", name="Mia as Ghibli", exact=True).click()

    expect(tiles(page)).to_have_count(1)
    expect(page.get_by_role("radio", name="Ghibli")).to_be_checked()
    press_run(page)
    expect(page.locator(".went-in")).to_contain_text("Mia as Ghibli")


@pytest.mark.parametrize(("width", "scripts"), [(1280, True), (320, False)])
def test_one_press_takes_over_the_inputs_of_an_example(guests: Guests, whole: Whole, width: int, scripts: bool) -> None:
    visitor = guests(width=width, scripts=scripts)
    page, ask = visitor.page, whole.inside.ask
    bob = ask("member", name="bob")["email"]
    hers = ask("start", email=visitor.email, remote_id=ROOM, Style="Japandi", Keep="the lamp")
    his = ask("start", email=bob, remote_id=ROOM, Style="Industrial", Keep="the sofa")
    for run in (hers, his):
        whole.wait_for(run, "ready")
    ask("share", run=his)
    path = open_app(visitor, ROOM)
    examples = page.get_by_role("region", name="Start from an example").get_by_role("button")
    assert [it.get_attribute("value") for it in examples.all()[:2]] == [f"example:{his}", f"example:{hers}"]
    for at in range(2):
        expect_picture(examples.nth(at).locator("img"))
    beside, form = examples.first.bounding_box(), page.locator(".form-main").bounding_box()
    assert beside
    assert form
    assert (beside["x"] >= form["x"] + form["width"]) == (width == 1280)
    assert page.evaluate(SIDEWAYS) == ""
    page.get_by_label("Keep").fill("the door")

    page.locator(f"[value='example:{his}']").press("Enter")

    expect(page.get_by_role("radio", name="Industrial")).to_be_checked()
    expect(page.get_by_label("Keep")).to_have_value("the sofa")
    page.goto(path)
    expect(page.get_by_label("Keep")).to_have_value("the door")  # the draft is still there
    page.locator(f"[value='example:{hers}']").press("Enter")
    expect(page.get_by_role("radio", name="Japandi")).to_be_checked()
    press_run(page)
    expect(page.locator(".went-in")).to_contain_text("the lamp")
