"""How pages stay current: they send a quiet request every 2.5 s, but don't ask about runs while the tab is hidden or
once all runs have ended.

The tests advance the page's clock instead of waiting.
"""

import pytest
from playwright.sync_api import expect

from tests.browser.acts import SLOW, a_run_that_goes_on, expect_state, told
from tests.browser.page_clock import hide, pass_time, stop_time
from tests.browser.visitors import Guests, Visitor
from tests.browser.whole import Whole

pytestmark = pytest.mark.browser


def settle(visitor: Visitor) -> None:
    """Let the page poll until there's nothing new, since partial results may still arrive right after it is opened."""
    for _ in range(20):
        pass_time(visitor, 3)
        if visitor.watch.live()[-1:] == [204]:
            return
    raise AssertionError(f"there was always something new: {visitor.watch.live()}")


@pytest.mark.parametrize("path", ["/", "/history/", "/runs/{}/"])
def test_a_page_polls_quietly_and_stops_when_all_is_done(guests: Guests, whole: Whole, path: str) -> None:
    visitor = guests()
    page, watch = visitor.page, visitor.watch
    run = a_run_that_goes_on(whole, visitor)
    stop_time(page)
    page.goto(path.format(run))
    settle(visitor)
    watch.answers.clear()
    pass_time(visitor, 10)
    assert set(watch.live()) == {204}  # if nothing changed, responses are empty, and nothing is swapped or announced
    assert 3 <= len(watch.live()) <= 5
    said = len(told(page, "said"))

    hide(page, True)
    watch.answers.clear()
    pass_time(visitor, 20)
    assert watch.live() == []
    assert len(told(page, "said")) == said

    whole.move(whole.remote_id(run), "completed")
    whole.wait_for(run, "ready")
    hide(page, False)  # the update must arrive immediately
    visitor.wait_for(lambda: watch.live() == [200], "the update")
    expect(page.locator(f"[data-run='{run}']:is(.is-ready, [data-state=ready])")).to_be_visible()
    for _ in range(20):  # let the page poll until all results of the run are saved
        pass_time(visitor, 4)
        if page.locator("[data-active], #bell[data-watching]").count() == 0:
            break
    watch.answers.clear()
    pass_time(visitor, 31)
    assert set(watch.live()) <= {204}
    assert len(watch.live()) <= 2  # the only requests left check for updates about other people's runs


def test_the_change_comes_at_most_three_seconds_after_the_portal_knows(guests: Guests, whole: Whole) -> None:
    visitor = guests()
    page = visitor.page
    run = a_run_that_goes_on(whole, visitor)
    stop_time(page)
    page.goto(f"/runs/{run}/")
    settle(visitor)
    page.clock.fast_forward("11:00")  # updates must still arrive eleven minutes later
    settle(visitor)
    whole.move(whole.remote_id(run), "completed")
    whole.wait_for(run, "ready")
    pass_time(visitor, 3)
    expect(page.locator("#run-panel .state-chip")).to_have_text("Ready")


@pytest.mark.parametrize("path", ["/history/", "/runs/{}/"])
def test_while_a_run_is_likely_to_end_the_page_asks_every_second(guests: Guests, whole: Whole, path: str) -> None:
    visitor = guests()
    page, watch = visitor.page, visitor.watch
    run = a_run_that_goes_on(whole, visitor)
    whole.inside.ask("usually_take", quick=120, late=160)
    stop_time(page)
    page.goto(path.format(run))
    settle(visitor)
    asked = []
    for _ in range(3):
        watch.answers.clear()
        pass_time(visitor, 10)
        asked.append(len(watch.live()))
        page.clock.fast_forward("02:00")
    assert (asked[0] <= 5, asked[1] >= 8, asked[2] <= 5) == (True, True, True), asked


@pytest.mark.parametrize("path", ["/history/", "/runs/{}/"])
def test_while_results_are_being_saved_the_page_asks_every_second_at_first(
    guests: Guests, whole: Whole, path: str
) -> None:
    visitor = guests()
    page, watch = visitor.page, visitor.watch
    result = whole.inside.ask("result", email=visitor.email, remote_id=SLOW, file_status="saving")
    stop_time(page)
    page.goto(path.format(whole.inside.ask("run_of", result=result)))
    settle(visitor)
    asked = []
    for _ in range(2):
        watch.answers.clear()
        pass_time(visitor, 10)
        asked.append(len(watch.live()))
        page.clock.fast_forward("02:00")
    assert (asked[0] >= 8, asked[1] <= 5) == (True, True), asked


def test_history_updates_its_card_in_place_and_tells_of_it_once(guests: Guests, whole: Whole) -> None:
    visitor = guests(hasty=True)
    page = visitor.page
    run = a_run_that_goes_on(whole, visitor)
    page.goto("/history/")
    card = page.locator(f"#card-{run}")
    before = card.bounding_box()
    whole.move(whole.remote_id(run), "completed")
    expect(page.get_by_role("status").filter(has_text="Test card: slow")).to_contain_text("Ready")  # lasts for 12 s
    expect(page.locator(f"#card-{run}.is-ready .state-chip")).to_have_count(0)
    expect(card.locator(".run-card-picture img")).to_have_count(2)
    now = card.bounding_box()
    assert before is not None
    assert now is not None
    assert before | {"y": 0} == now | {"y": 0}  # only the line above moves it
    # the line saying the run ended has already announced this change
    assert "Test card: slow: Ready." not in told(page, "said")


def test_an_expired_sign_in_leads_to_the_sign_in_page_and_back(guests: Guests, whole: Whole) -> None:
    visitor = guests(hasty=True)
    page = visitor.page
    run = a_run_that_goes_on(whole, visitor)
    page.goto(f"/runs/{run}/")
    whole.inside.ask("expire", email=visitor.email)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_label("Email address").fill(visitor.email)
    page.get_by_label("Password").fill("demo")
    page.keyboard.press("Enter")
    expect_state(page, "In progress")
