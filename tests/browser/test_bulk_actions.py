"""History in the browser: selecting many runs with mouse and keyboard, and undoing a search with the back button."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from runs.models import Member
from tests.browser.apps import LEFT_ALONE
from tests.browser.visitors import Gallery, Guests
from tests.browser.whole import Whole
from tests.support.factories import make_app, make_run
from tests.support.processes import wait_until

pytestmark = pytest.mark.browser


def expect_chosen(page: Page, *wanted: bool) -> None:
    """Expect the cards to be ticked as `wanted` says, in the order they are shown."""
    boxes = page.locator(".run-card-tick input")
    wait_until(lambda: boxes.evaluate_all("all => all.map((it) => it.checked)") == list(wanted), f"{wanted}")


def test_runs_are_chosen_by_click_shift_click_and_keys_and_go_to_the_bin_and_back(guests: Guests, whole: Whole) -> None:
    visitor = guests()
    page = visitor.page
    whole.inside.ask("fill_history", email=visitor.email, remote_id=LEFT_ALONE, count=6)
    page.goto("/history/")
    boxes, bar = page.locator(".run-card-tick input"), page.locator("#selection")
    expect(bar).to_be_hidden()

    boxes.nth(1).press("Enter")
    boxes.nth(3).click(modifiers=["Shift"])
    expect_chosen(page, False, True, True, True, False, False)
    expect(bar.get_by_text("3 selected")).to_be_visible()
    boxes.nth(3).press("ControlOrMeta+a")
    expect(bar.get_by_text("6 selected")).to_be_visible()
    expect(bar.get_by_role("button", name="Compare")).to_be_disabled()
    page.keyboard.press("Escape")
    expect(bar.get_by_text("6 items are no longer selected.")).to_be_visible()

    page.locator("h1").click()
    for key in ("j", "j", "x", "j", "x"):
        page.keyboard.press(key)
    expect_chosen(page, False, True, True, False, False, False)
    page.get_by_label("Search inputs").press_sequentially("jxj")
    expect(page.locator(".history-none h2")).to_be_visible()
    page.locator("#history-chips a.chip").click()

    expect(bar.get_by_text("2 selected")).to_be_visible()
    expect_chosen(page, False, True, True, False, False, False)
    bar.get_by_role("button", name="Move to bin").click()
    expect(page.get_by_text("2 runs were moved to the bin.")).to_be_visible()
    expect(boxes).to_have_count(4)
    expect(page.locator(".notice:has(.undo)")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(".undo [value=restore]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(boxes).to_have_count(6)


def test_back_from_comparing_leads_to_the_same_cards_chosen(guests: Guests, whole: Whole) -> None:
    visitor = guests()
    page = visitor.page
    whole.inside.ask("fill_history", email=visitor.email, remote_id=LEFT_ALONE, count=4)
    page.goto("/history/")
    page.locator(".run-card-tick input").nth(1).click()
    page.locator(".run-card-tick input").nth(3).click()
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", name="Compare 2")).to_be_visible()
    whole.inside.ask("fill_history", email=visitor.email, remote_id=LEFT_ALONE, count=1)

    page.go_back()

    expect(page.get_by_text("2 selected")).to_be_visible()
    expect(page.locator(".run-card")).to_have_count(5)
    expect_chosen(page, False, False, True, False, True)


def test_a_search_stands_in_the_address_as_chips_and_back_undoes_it(guests: Guests, whole: Whole) -> None:
    visitor = guests()
    page = visitor.page
    whole.inside.ask("fill_history", email=visitor.email, remote_id=LEFT_ALONE, count=2)
    page.goto("/history/")
    cards, chips = page.locator(".run-card"), page.get_by_role("list", name="Active filters")

    page.get_by_label("Search inputs").fill("GHÏBLI")
    expect(page).to_have_url(re.compile(r"/history/\?q=GH%C3%8FBLI$"))
    page.get_by_label("State", exact=True).select_option("failed")
    expect(page.locator(".history-none h2")).to_be_visible()
    expect(chips.get_by_role("link")).to_have_count(2)
    expect(page.get_by_role("link", name="Any state 2")).to_be_visible()

    page.go_back()
    expect(page).to_have_url(re.compile(r"q=GH%C3%8FBLI$"))
    expect(cards).to_have_count(2)
    expect(page.get_by_label("State", exact=True)).to_have_value("")

    bar, boxes = page.locator("#selection"), page.locator(".run-card-tick input")
    boxes.nth(0).click()
    boxes.nth(1).click(modifiers=["Shift"])
    expect(bar.get_by_text("2 selected")).to_be_visible()
    expect(bar.get_by_role("button", name="Compare")).to_be_enabled()
    bar.get_by_role("button", name="Clear the selection").click()
    expect(bar.get_by_text("2 items are no longer selected.")).to_be_visible()
    expect(bar.get_by_role("button", name="Undo")).to_be_focused()

    chips.get_by_role("link", name="remove this filter").click()
    expect(page).to_have_url(re.compile("/history/$"))
    expect(chips).to_have_count(0)


@pytest.mark.django_db(transaction=True)
def test_the_apps_to_choose_from_follow_the_search_but_not_while_someone_chooses(page: Page, alice: Member) -> None:
    for app, title in (("Films", "Red carpet"), ("Shoes", "Red shoe")):
        make_run(alice, make_app(app), status="completed", title=title)
    page.goto("/history/?q=carpet")
    search, select = page.locator("#history-q"), page.locator("#history-app")
    options = select.locator("option")
    expect(options).to_have_text(["Any app", "Films"])

    search.fill("shoe")
    expect(options).to_have_text(["Any app", "Shoes"])
    select.select_option("Shoes")
    expect(page).to_have_url(re.compile(r"q=shoe&app=\w+$"))
    chosen = select.input_value()
    assert chosen

    search.fill("red")
    select.focus()
    expect(page).to_have_url(re.compile(r"q=red&app="))
    expect(select).to_be_focused()
    expect(options).to_have_text(["Any app", "Shoes"])
    page.keyboard.press("Tab")
    expect(options).to_have_text(["Any app", "Films", "Shoes"])
    expect(select).to_have_value(chosen)


@pytest.mark.parametrize("end", ["answered", "failed", "replaced"])
def test_old_results_are_busy_until_the_search_has_ended(guests: Guests, whole: Whole, end: str) -> None:
    visitor = guests()
    page = visitor.page
    whole.inside.ask("fill_history", email=visitor.email, remote_id=LEFT_ALONE, count=2)
    page.goto("/history/")
    held: list[Route] = []
    page.route(re.compile(r"/history/\?.*q=ghibli"), lambda route: held.append(route))
    results, search = page.locator("#history-results"), page.get_by_label("Search inputs")
    expect(results).not_to_have_attribute("aria-busy", "true")

    search.fill("ghibli")
    visitor.wait_for(lambda: bool(held), "the search to be asked for")
    expect(results).to_have_attribute("aria-busy", "true")
    expect(results).to_have_css("opacity", "0.5")
    expect(page.locator(".run-card")).to_have_count(2)

    visitor.watch.problems.is_blind = end != "answered"  # htmx logs failed and dropped requests to the console
    if end == "answered":
        held[0].continue_()
    elif end == "failed":
        held[0].abort()
    else:
        search.fill("nothing like it")
        expect(page.locator(".history-none h2")).to_be_visible()
    expect(results).not_to_have_attribute("aria-busy", "true")
    address = {"answered": "q=ghibli$", "failed": "/history/$", "replaced": "q=nothing"}[end]
    expect(page).to_have_url(re.compile(address))


def test_the_list_of_shortcuts_opens_and_closes(guests: Guests) -> None:
    page = guests().page
    page.goto("/help/keys/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_home_makes_room_for_the_apps_once_there_is_an_answer_and_takes_it_back(guests: Guests, whole: Whole) -> None:
    visitor = guests()
    page = visitor.page
    whole.inside.ask("fill_history", email=visitor.email, remote_id=LEFT_ALONE, count=2)
    page.goto("/")
    latest, wish = page.get_by_role("heading", name="Latest results"), page.get_by_label("What do you need?")
    expect(latest).to_be_visible()

    wish.fill("cartoon")
    expect(page.locator("#app-grid .app-card")).to_have_count(1)
    expect(latest).to_be_hidden()

    wish.fill("")
    expect(latest).to_be_visible()


# Finds words that are broken across lines.
CUT_WORDS = r"""
(buttons) => buttons.flatMap((button) => [...button.childNodes].filter((it) => it.nodeType === Node.TEXT_NODE)
  .flatMap((text) => [...text.data.matchAll(/\S+/g)].filter((word) => {
    const range = document.createRange();
    range.setStart(text, word.index);
    range.setEnd(text, word.index + word[0].length);
    return range.getClientRects().length > 1;
  }).map(([word]) => word)))
"""


@pytest.mark.parametrize("width", [320, 360])
def test_on_a_phone_no_word_of_the_bar_is_cut(guests: Guests, gallery: Gallery, width: int) -> None:
    page = guests(email=gallery.email, width=width).page
    page.goto("/history/")
    page.locator(".run-card-tick input").first.check()
    row, menu = page.locator(".selection-acts"), page.locator("#selection-menu")
    assert row.locator("> .button").evaluate_all(CUT_WORDS) == []
    assert row.evaluate("it => it.scrollWidth <= it.clientWidth")
    assert row.evaluate("it => it.getBoundingClientRect().height") < 100  # the cards stay in view
    expect(menu).to_be_hidden()
    page.get_by_role("button", name="More actions for the selection").click()
    acts = menu.get_by_role("button")
    expect(acts).to_have_count(7)
    assert acts.evaluate_all(CUT_WORDS) == []
    menu.get_by_role("button", name="Move to bin").click()
    expect(page.get_by_text("1 run was moved to the bin.")).to_be_visible()
    page.locator(".undo [value=restore]").click()
    expect(page.get_by_text("1 run was restored.")).to_be_visible()


TOP_OF_TEXT = """
(it) => {
  const all = document.createRange();
  all.selectNodeContents(it);
  return all.getBoundingClientRect().top;
}
"""


@pytest.mark.parametrize("width", [360, 1280])
def test_the_tick_box_stands_above_the_text_of_its_card(guests: Guests, gallery: Gallery, width: int) -> None:
    page = guests(email=gallery.email, width=width).page
    page.goto("/history/?q=captions")
    card = page.locator(".run-card:has(.run-card-excerpt)").first
    box = card.locator(".run-card-tick input").bounding_box()
    text = card.locator(".run-card-excerpt").evaluate(TOP_OF_TEXT)
    assert box
    assert text >= box["y"] + box["height"]
