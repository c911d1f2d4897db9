"""The main journey with scripts on, from signing in to a picture in the member's history."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.acts import (
    PICTURE,
    a_photo,
    boxes,
    choose,
    expect_picture,
    expect_state,
    open_app,
    press_run,
    run_id,
    sign_in,
    tiles,
    told,
)
from tests.browser.apps import CARTOONIFY
from tests.browser.visitors import Guests, Visitor
from tests.browser.whole import Whole
from tests.support.browser import Problems, await_scripts

pytestmark = pytest.mark.browser
MOST_SHIFT = 0.05


@pytest.mark.parametrize("width", [320, 1280])
def test_from_signing_in_to_a_picture_in_ones_own_history(guests: Guests, whole: Whole, width: int) -> None:
    visitor = guests("demo", width=width, signed_in=False, hasty=width == 320)
    page = visitor.page
    whole.wait_for(whole.inside.ask("start", email=visitor.email, remote_id="card-instant"), "ready")
    page.goto("/")
    sign_in(visitor)
    find_cartoonify(visitor)
    fill(page)
    whole.script(CARTOONIFY, outcome="never")
    run = press_run(page)
    assert page.evaluate("sessionStorage.pressed") == "Starting…"  # the Run button had changed before the next frame
    watch_it_come(visitor, run)
    find_it_again(page, run)
    sam = guests("sam").page
    sam.goto("/history/")
    expect(sam.get_by_text("No runs yet")).to_be_visible()
    assert sam.goto(f"/runs/{run}/").status == 404  # type: ignore[union-attr]


def find_cartoonify(visitor: Visitor) -> None:
    """Find Cartoonify on Home, which shows the latest results and a catalogue that narrows down as you type."""
    page = visitor.page
    expect(page.get_by_role("heading", name="Latest results")).to_be_visible()
    await_scripts(page)
    cards = page.locator("#app-grid .app-card")
    expect(cards).to_have_count(8)
    page.get_by_label("What do you need?").press_sequentially("cartoon")
    expect(cards).to_have_count(1)
    expect(cards).to_contain_text("makes 2 images")
    assert page.url.endswith("/")
    # by now, the results of Lamina's search may have replaced this announcement
    visitor.wait_for(lambda: "1 app" in [words.strip() for words in told(page, "said")], "the count to be announced")
    cards.get_by_role("link", name="Cartoonify!").click()


def fill(page: Page) -> None:
    """Fill in the form, which puts required fields first and folds the others away, with their values still shown.
    Check the price."""
    expect(page.get_by_role("heading", name="Cartoonify!")).to_be_visible()
    expect(page.locator(".form-main .field").first).to_have_id("p1-field")  # this is Style, which has no default
    folded = page.locator("details.more")
    assert folded.get_attribute("open") is None
    expect(folded.locator("summary")).to_contain_text(re.compile(r"Aspect Ratio\s*1:1"))
    expect(page.get_by_role("radio", name="9:16")).not_to_be_visible()
    expect(page.get_by_text("Using the sample picture")).to_be_visible()
    choose(page, a_photo())
    expect(tiles(page)).to_have_count(1)
    expect(tiles(page)).to_contain_text("me.png")
    expect(tiles(page)).to_contain_text(re.compile("320 . 240"))
    expect_picture(tiles(page).locator("img"))
    expect(page.get_by_text("Using the sample picture")).not_to_be_visible()
    page.get_by_role("radio", name="Ghibli").check()
    folded.locator("summary").click()
    page.get_by_role("radio", name="4:3").check()
    expect(folded.locator(".more-now")).to_have_text("4:3")
    expect(page.locator("#launch-cost")).to_contain_text(re.compile(r"About 12 credits.*4,250 left|About 12"))


def watch_it_come(visitor: Visitor, run: str) -> None:
    """Watch the results arrive: each has a box from the start, updates happen in place, and nothing jumps."""
    page, whole = visitor.page, visitor.whole
    expect(boxes(page)).to_have_count(2)
    expect(boxes(page).locator("img")).to_have_count(0)
    expect(page).to_have_title(re.compile(r"^(\(\d+\) )?(Starting|In progress) · "))
    expect_state(page, "In progress")
    expect(page.locator("#run-panel")).to_contain_text("0 of 2 ready")
    expect(page.locator("time[data-elapsed-since]")).to_have_text(re.compile(r"^\d:\d\d$"))
    expect(page).to_have_title(re.compile(r"^(\(\d+\) )?In progress · "))
    page.evaluate("window.isSamePage = true")

    whole.move(whole.remote_id(run), "running", ready=1)
    expect(boxes(page).first.locator("img")).to_be_visible()
    expect(page.locator("#run-panel")).to_contain_text("1 of 2 ready")
    expect(boxes(page).last.locator("img")).to_have_count(0)

    whole.move(whole.remote_id(run), "completed")
    expect_state(page, "Ready")
    expect(boxes(page).last.locator("img")).to_be_visible()
    expect(page.locator("#run-panel")).to_contain_text("Finished in")
    for image in boxes(page).locator("img").all():
        assert PICTURE.match(str(image.get_attribute("src")))
        expect_picture(image)
        assert image.get_attribute("alt")

    assert page.evaluate("window.isSamePage")
    shifts = told(page, "shifts")
    assert sum(value for value, _ in shifts) <= MOST_SHIFT, shifts
    visitor.wait_for(lambda: "Ready" in (told(page, "said") or [""])[-1], "the end to be announced")
    said = [words for words in told(page, "said") if "In progress" in words or "Ready" in words]
    assert said[-2:] == ["Cartoonify! · Ghibli: In progress, 1 of 2 ready.", "Cartoonify! · Ghibli: Ready."]
    assert len(said) == len(set(said)), said  # announced once per change, not once per poll
    visitor.wait_for(
        lambda: any(re.match(r"(\(\d+\) )?Ready", title) for title in told(page, "titles")), "the end in the title"
    )
    tick_one(page)


def tick_one(page: Page) -> None:
    """Check that a result can be ticked even if it arrived while the page was open."""
    bar, box = page.locator("#selection"), boxes(page).first.locator(".output-tick input")
    box.check()
    expect(bar.get_by_text("1 selected")).to_be_visible()
    box.uncheck()
    expect(bar).to_be_hidden()


def find_it_again(page: Page, run: str) -> None:
    """Find the run in History, on a card with its pictures, inputs, state and age."""
    page.get_by_role("link", name="History").first.click()
    card = page.locator(f"#card-{run}")
    expect(card.locator(".run-card-picture img")).to_have_count(2)
    expect(card.locator(".run-card-title")).to_contain_text("Ghibli")
    expect(card.locator(".run-card-lines")).to_contain_text("me.png")
    expect(card.locator(".run-card-lines p")).to_have_count(2)
    expect(card.locator("time")).to_contain_text(re.compile(r"just now|\d min ago"))
    card.get_by_role("link").click()
    expect(boxes(page).locator("img")).to_have_count(2)


def test_change_and_run_again_opens_the_form_as_it_was(guests: Guests) -> None:
    visitor = guests(hasty=True)
    page = visitor.page
    open_app(visitor)
    choose(page, a_photo())
    page.get_by_role("radio", name="Cyberpunk").check()
    page.locator("details.more summary").click()
    page.get_by_role("radio", name="16:9").check()
    expect(tiles(page)).to_have_count(1)
    press_run(page)
    expect_state(page, "Ready")
    page.get_by_role("link", name="Change and run again").click()
    expect(page.get_by_role("radio", name="Cyberpunk")).to_be_checked()
    expect(page.locator("details.more .more-now")).to_have_text("16:9")
    expect(tiles(page)).to_contain_text("me.png")
    page.get_by_role("radio", name="Simpsons").check()
    first = page.url
    press_run(page)
    assert page.url != first
    expect(page.locator(".went-in")).to_contain_text("Simpsons")
    expect(page.locator(".went-in")).to_contain_text("16:9")


def test_ticked_results_alone_are_asked_for_and_texts_and_sounds_can_be_used(guests: Guests, whole: Whole) -> None:
    visitor = guests(hasty=True)
    page = visitor.page
    open_app(visitor, "sandbox-caption")
    page.get_by_role("checkbox", name="Voice-over").uncheck()
    run = press_run(page)
    expect(boxes(page)).to_have_count(1)
    expect_state(page, "Ready")
    expect(boxes(page).locator(".output-text")).not_to_be_empty()
    expect(boxes(page).get_by_role("button", name="Copy")).to_be_visible()
    [started] = [one for one in whole.lamina.runs if one["runId"] == whole.remote_id(run)]
    assert started["outputs"] == ["Caption"]


def test_cancel_really_cancels_at_lamina(guests: Guests, whole: Whole) -> None:
    visitor = guests(hasty=True)
    page = visitor.page
    whole.script("card-slow", outcome="never")
    open_app(visitor, "card-slow")
    run = press_run(page)
    remote_id = whole.remote_id(run)
    expect_state(page, "In progress")
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("button", name="Cancel the run").click()
    expect_state(page, "Cancelled")
    assert run_id(page) == run
    expect(page.locator("#run-panel")).to_contain_text("Stopped by Ann")
    [there] = [one for one in whole.lamina.runs if one["runId"] == remote_id]
    assert there["status"] == "cancelled"
    expect(boxes(page).first).to_contain_text("Not made")


def test_the_problems_of_a_page_include_what_the_policy_forbids(guests: Guests, problems: Problems) -> None:
    visitor = guests()
    visitor.page.goto("/history/")
    visitor.page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">red</p>')")
    visitor.page.evaluate("setTimeout(() => nowhere())")
    visitor.wait_for(lambda: len(problems.found) == 2, "the policy and the browser to complain")
    assert re.search(r"console: .*inline style.*style-src[^|]*\|script: .*nowhere", "|".join(problems.found), re.DOTALL)
    problems.forgive("style-src|nowhere")
