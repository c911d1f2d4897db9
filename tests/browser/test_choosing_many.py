"""Choosing many runs in a real browser: ticks are saved immediately and survive paging, reloading and going back."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, Route, expect

from runs.history import selection
from runs.models import Member, Run
from runs.notices import listeners
from tests.support.browser import Problems, release
from tests.support.factories import make_app, make_kept, make_run
from tests.support.keys import Keys
from tests.support.processes import wait_until

# Taps a selected card to deselect it, taps it again, which opens the bar, and immediately taps one of the bar's
# buttons. Returns whether that last tap counts as a press.
TAP_TWICE = """() => {
  const tap = (css) => document.querySelector(css).dispatchEvent(
    new PointerEvent("click", { bubbles: true, cancelable: true, detail: 1, pointerType: "touch" }));
  const box = ".run-card-tick input[value='" + document.querySelector(".run-card-tick :checked").value + "']";
  tap(box);
  tap(box);
  return tap("#selection [value=guest]");
}"""

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def runs(alice: Member) -> list[Run]:
    """Forty finished runs by Alice, newest first: two pages of History. The first two have files."""
    app, now = make_app(), timezone.now()
    made = [make_run(alice, app, status="completed", created_at=now - timedelta(minutes=n)) for n in range(40)]
    for run in made[:2]:
        for position in range(2):
            make_kept(run, position=position)
    return made


def chosen(member: Member, place: str = "mine") -> int:
    return selection.summary_of(member, place).count


def test_ticks_are_kept_across_pages_and_back_and_cleared_with_undo(page: Page, alice: Member, runs: list[Run]) -> None:
    page.goto("/history/")
    bar, boxes = page.locator("#selection"), page.locator(".run-card-tick input")
    expect(bar).to_be_hidden()
    boxes.nth(0).click()
    boxes.nth(2).click(modifiers=["Shift"])
    expect(bar.get_by_text("3 selected")).to_be_visible()
    expect(bar.get_by_text("4 files,")).to_be_visible()
    page.locator("#history-older").scroll_into_view_if_needed()
    expect(boxes).to_have_count(40)
    boxes.nth(39).click()
    expect(bar.get_by_text("4 selected")).to_be_visible()
    boxes.nth(39).click()
    boxes.nth(38).click()
    page.locator(".card-link").nth(38).click()  # immediately, while the ticks are still being sent
    page.wait_for_url("**/runs/**")
    wait_until(lambda: chosen(alice) == 4, "the ticks to be kept")

    page.go_back()
    expect(bar.get_by_text("4 selected")).to_be_visible()
    page.reload()
    expect(bar.get_by_text("4 selected")).to_be_visible()
    expect(page.locator(".run-card-tick :checked").first).to_be_visible()

    bar.get_by_role("button", name="Select all 40").click()
    expect(bar.get_by_text("40 selected")).to_be_visible()
    expect(boxes.nth(20)).to_be_checked()
    bar.get_by_role("button", name="Clear the selection").click()
    expect(bar.get_by_text("40 items are no longer selected.")).to_be_visible()
    expect(bar.get_by_role("button", name="Download", exact=True)).to_be_hidden()
    expect(bar.get_by_role("button", name="Undo")).to_be_focused()
    expect(page.locator(".run-card-tick :checked")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(bar.get_by_text("40 selected")).to_be_visible()
    expect(boxes.nth(20)).to_be_checked()


def test_without_scripts_ticks_go_along_to_the_next_page_and_into_the_zip(
    plain_page: Page, alice: Member, runs: list[Run]
) -> None:
    page = plain_page
    page.goto("/history/")
    page.locator(".run-card-tick input").nth(0).check()
    page.get_by_role("button", name="Older").click()
    page.locator(".run-card-tick input").nth(0).check()
    page.get_by_role("button", name="Keep this selection").click()
    expect(page.locator("#selection").get_by_text("1 selected earlier, plus any ticked on this page")).to_be_visible()
    # Without scripts, this number would be wrong after the next tick.
    expect(page.locator("#selection").get_by_text("2 selected")).to_be_hidden()
    page.get_by_role("button", name="Newer").click()
    expect(page.locator(".run-card-tick :checked")).to_have_count(1)
    with page.expect_download() as download:
        page.locator("#selection").get_by_role("button", name="Download", exact=True).click()
    assert download.value.suggested_filename.endswith(".zip")

    page.reload()
    expect(page.get_by_text("The download has started. 2 items are no longer selected.")).to_be_visible()
    expect(page.locator("#selection")).to_be_hidden()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#selection").get_by_text("1 selected earlier")).to_be_visible()


def test_results_of_several_runs_go_into_one_zip_link_or_comparison(page: Page, alice: Member, runs: list[Run]) -> None:
    page.goto(runs[0].get_absolute_url())
    page.get_by_label("Select Front").check()
    expect(page.locator("#selection").get_by_text("1 selected")).to_be_visible()
    wait_until(lambda: chosen(alice, "results") == 1, "the tick to be kept")
    page.locator("summary", has_text="Rename").click()
    page.keyboard.press("Control+a")  # selects the title, not all results
    page.keyboard.type("cx?")  # none of these keys is a shortcut here
    expect(page.get_by_label("Title")).to_have_value("cx?")
    expect(page.locator("#selection").get_by_text("1 selected")).to_be_visible()
    page.goto(runs[1].get_absolute_url())
    page.get_by_label("Select Back").check()
    bar = page.locator("#selection")
    expect(bar.get_by_text("2 selected")).to_be_visible()
    expect(bar.get_by_text("2 files,")).to_be_visible()
    with page.expect_download() as download:
        bar.get_by_role("button", name="Download", exact=True).click()
    assert download.value.suggested_filename.endswith(".zip")
    expect(bar.get_by_text("The download has started. 2 items are no longer selected.")).to_be_visible()
    expect(bar.get_by_role("button", name="Download", exact=True)).to_be_hidden()
    expect(page.locator("[form=selection]:checked")).to_have_count(0)
    bar.get_by_role("button", name="Undo").click()
    expect(bar.get_by_text("2 selected")).to_be_visible()
    bar.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", name="Compare 2 pictures")).to_be_visible()
    page.go_back()
    bar.get_by_role("button", name="Guest link").click()
    for name, is_on in {"Front 1": True, "Back 1": False, "Front 2": False, "Back 2": True}.items():
        expect(page.get_by_label(name)).to_be_checked(checked=is_on)


def test_a_tick_before_the_script_arrives_is_kept(page: Page, alice: Member, runs: list[Run]) -> None:
    held: list[Route] = []
    page.route("**/selection*.js", lambda route: held.append(route))
    page.goto("/history/", wait_until="domcontentloaded")
    boxes, bar = page.locator(".run-card-tick input"), page.locator("#selection")
    boxes.nth(0).click()
    release(page, held)
    expect(bar.get_by_text("1 selected")).to_be_visible()
    boxes.nth(2).click(modifiers=["Shift"])
    expect(bar.get_by_text("3 selected")).to_be_visible()
    wait_until(lambda: chosen(alice) == 3, "the ticks to be kept")


def test_a_tick_that_cannot_be_sent_is_told_and_sent_with_the_next(
    page: Page, alice: Member, runs: list[Run], problems: Problems
) -> None:
    problems.forgive("net::ERR_FAILED")
    page.goto("/history/")
    boxes, bar = page.locator(".run-card-tick input"), page.locator("#selection")
    page.route("**/history/select/", lambda route: route.abort())
    boxes.nth(0).click()
    expect(bar.get_by_text("isn't saved yet")).to_be_visible()
    page.unroute("**/history/select/")
    boxes.nth(1).click()
    expect(bar.get_by_text("2 selected")).to_be_visible()  # the bar shows the new count before the server responds
    wait_until(lambda: chosen(alice) == 2, "both ticks to be kept")


def test_a_tick_that_cannot_be_sent_is_sent_when_the_network_is_back_unless_cleared(
    page: Page, alice: Member, runs: list[Run], problems: Problems
) -> None:
    problems.forgive("ERR_INTERNET_DISCONNECTED")
    page.goto("/history/")
    boxes, bar = page.locator(".run-card-tick input"), page.locator("#selection")
    page.context.set_offline(True)
    boxes.nth(0).click()
    expect(bar.get_by_text("isn't saved yet")).to_be_visible()
    page.context.set_offline(False)
    wait_until(lambda: chosen(alice) == 1, "the tick to be kept")

    page.context.set_offline(True)
    boxes.nth(1).click()
    expect(bar.get_by_text("isn't saved yet")).to_be_visible()
    bar.get_by_role("button", name="Clear the selection").click()
    expect(boxes.nth(1)).not_to_be_checked()
    expect(bar.get_by_text("isn't saved yet")).to_be_visible()
    page.context.set_offline(False)
    boxes.nth(2).click()
    wait_until(lambda: selection.ticked(alice, "mine", [run.public_id for run in runs]) == {runs[2].public_id}, "it")


@pytest.mark.parametrize("width", [320, 1280])
def test_the_bar_and_a_line_about_an_ended_run_cover_no_stop_of_tab(
    new_context: Callable[..., BrowserContext], alice: Member, runs: list[Run], width: int
) -> None:
    Run.objects.exclude(pk__in=[run.pk for run in runs[:8]]).delete()
    page = new_context(alice, viewport={"width": width, "height": 800 if width > 600 else 640}).new_page()
    ids = [run.public_id for run in runs[:3]]
    selection.keep(alice, "mine", ids, ids)
    results = [output.public_id for output in runs[0].outputs.all()]
    selection.keep(alice, "results", results, results)
    keys = Keys(page)
    for path in ("/history/", runs[0].get_absolute_url(), "/history/?view=list"):
        is_told = "list" in path
        if is_told:
            page.goto("about:blank")  # otherwise, the previous page would use up the line, which is shown only once
            listeners.on_run_ended(runs[1])
        page.goto(path, wait_until="commit" if is_told else "load")  # the page shows the line for only 12 s
        expect(page.locator("#ended .ended-line")).to_have_count(int(is_told))
        expect(page.locator("#selection")).to_be_in_viewport(ratio=1)
        assert keys.tab_through() > 20
    assert keys.bad == []


def test_on_a_phone_a_tap_beside_an_open_menu_only_closes_it(
    new_context: Callable[..., BrowserContext], alice: Member, runs: list[Run]
) -> None:
    page = new_context(alice, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True).new_page()
    page.goto("/history/")
    menu, box = page.locator(".run-card-menu").first, page.locator(".run-card-tick input").nth(1)
    under = box.bounding_box()
    assert under
    middle = (under["x"] + under["width"] / 2, under["y"] + under["height"] / 2)

    page.locator(".run-card-open").first.tap()
    expect(menu).to_be_visible()
    page.touchscreen.tap(*middle)
    expect(menu).to_be_hidden()
    expect(box).not_to_be_checked()

    page.touchscreen.tap(*middle)
    expect(box).to_be_checked()
    assert not page.evaluate(TAP_TWICE)  # ignored, because the bar has only just opened, perhaps under the finger

    both = [runs[1].public_id, runs[39].public_id]  # one of these runs is on the next page, so the bar stays open
    selection.keep(alice, "mine", both, both)
    page.reload()
    expect(page.locator("#selection").get_by_text("2 selected")).to_be_visible()
    page.evaluate("document.addEventListener('submit', (event) => event.preventDefault())")
    assert page.evaluate(TAP_TWICE)


def test_escape_first_closes_what_is_open_and_then_clears(page: Page, alice: Member, runs: list[Run]) -> None:
    ids = [output.public_id for output in runs[0].outputs.all()]
    selection.keep(alice, "results", ids, ids)
    page.goto(runs[0].get_absolute_url())
    chosen_words = page.locator("#selection").get_by_text("2 selected")
    page.locator("main .moment:visible").first.hover()
    full = page.locator("main .moment-full:visible")
    expect(full).to_have_count(1)
    page.keyboard.press("Escape")
    expect(full).to_have_count(0)
    page.get_by_role("button", name="your menu").click()
    expect(page.locator(":popover-open")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(":popover-open")).to_have_count(0)
    expect(chosen_words).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#selection").get_by_text("2 items are no longer selected.")).to_be_visible()
