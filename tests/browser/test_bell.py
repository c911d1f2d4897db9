"""Runs that end while their owner is on another page: a line, the bell, and the tab's title."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from runs.engine import progress
from runs.models import Member
from tests.browser.acts import a_run_that_goes_on, expect_picture
from tests.browser.page_clock import hide, pass_time, stop_time
from tests.browser.visitors import Guests
from tests.browser.whole import Whole
from tests.support.browser import release
from tests.support.factories import make_run

pytestmark = pytest.mark.browser


def test_a_run_that_ends_is_told_on_any_page(guests: Guests, whole: Whole) -> None:
    visitor = guests(hasty=True)
    page = visitor.page
    run = a_run_that_goes_on(whole, visitor)
    page.goto("/me/")
    line = page.locator("#ended .ended-line")
    visitor.wait_for(lambda: page.locator("#bell[data-watching]").count() == 1, "the page to know of the run")

    whole.move(whole.remote_id(run), "completed")

    expect(line).to_contain_text("Test card: slow")
    line.hover()  # under the pointer, it doesn't close by itself
    expect(line).to_contain_text("Ready")
    expect_picture(line.locator(".ended-picture img"))
    expect(page).to_have_title(re.compile(r"^\(1\) "))
    line.get_by_role("button", name="Close").press("Enter")
    expect(line).to_have_count(0)
    expect(page.locator("#bell")).to_be_focused()
    page.goto("/help/keys/")  # it was told; the bell still has it
    expect(page.get_by_role("button", name="Inbox: 1 new")).to_be_visible()
    expect(line).to_have_count(0)

    page.keyboard.press("Tab")
    page.locator("#bell").press("Enter")
    expect(page.get_by_role("link", name=re.compile("Test card: slow"))).to_be_visible()
    expect(page.get_by_role("button", name="Inbox: nothing new")).to_be_visible()
    expect(page.locator("#bell-list")).to_contain_text("Test card: slow")  # still there to read
    expect(page).to_have_title(re.compile(r"^\w"))
    page.get_by_role("link", name=re.compile("Test card: slow")).click()
    expect(page).to_have_url(re.compile(run))


def test_a_line_gives_way_to_the_keyboard_and_closes_itself(guests: Guests, whole: Whole) -> None:
    visitor = guests(width=390)
    page = visitor.page
    run = a_run_that_goes_on(whole, visitor)
    stop_time(page)
    page.goto("/me/")
    pass_time(visitor, 4)
    whole.move(whole.remote_id(run), "completed")
    whole.wait_for(run, "ready")
    pass_time(visitor, 4)
    region = page.locator("#ended")
    expect(region.locator(".ended-line")).to_have_count(1)

    for _ in range(25):  # through the whole page
        page.keyboard.press("Tab")
        assert not page.evaluate(
            """() => {
                const [focused, lines] = [document.activeElement, document.querySelector("#ended")];
                if (focused === document.body || lines.contains(focused)) return false;
                const [a, b] = [focused, lines].map((it) => it.getBoundingClientRect());
                return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
            }"""
        )
    page.locator("main a, main button").first.focus()
    pass_time(visitor, 13)
    expect(region.locator(".ended-line")).to_have_count(0)


def test_a_hidden_tab_counts_in_its_title(guests: Guests, whole: Whole) -> None:
    visitor = guests()
    page = visitor.page
    run = a_run_that_goes_on(whole, visitor)
    stop_time(page)
    page.goto("/apps/")
    pass_time(visitor, 4)
    hide(page, True)
    whole.move(whole.remote_id(run), "completed")
    whole.wait_for(run, "ready")

    pass_time(visitor, 31)
    expect(page).to_have_title("(1) Apps · Lamina Portal")
    expect(page.locator("#ended .ended-line")).to_have_count(0)  # nobody would see it

    hide(page, False)
    pass_time(visitor, 1)
    expect(page.locator("#ended .ended-line")).to_have_count(1)


def test_without_scripts_the_next_page_tells(guests: Guests, whole: Whole) -> None:
    visitor = guests(scripts=False)
    page = visitor.page
    run = a_run_that_goes_on(whole, visitor)
    page.goto("/apps/")
    whole.move(whole.remote_id(run), "completed")
    whole.wait_for(run, "ready")

    page.goto("/history/")

    notice = page.get_by_role("status").filter(has_text="Test card: slow: Ready")
    expect(notice).to_be_visible()
    notice.get_by_role("button", name="Mark as seen").click()
    expect(page).to_have_url(re.compile("/history/$"))
    expect(notice).to_have_count(0)


@pytest.mark.django_db(transaction=True)
def test_the_list_of_the_bell_opened_before_its_script_arrives_is_marked_too(page: Page, alice: Member) -> None:
    assert progress.fail(make_run(alice), "remote", timezone.now(), from_statuses=("running",))
    held: list[Route] = []
    page.route("**/ended*.js", lambda route: held.append(route))
    page.goto("/me/", wait_until="commit")
    page.get_by_role("button", name="Inbox: 1 new").click()
    expect(page.locator("#bell-list [data-ended]")).to_be_visible()
    release(page, held)
    expect(page.get_by_role("button", name="Inbox: nothing new")).to_be_visible()
    expect(page.locator("#ended .ended-line")).to_have_count(0)


BLOCKED = """
for (const name of ["localStorage", "sessionStorage"])
    Object.defineProperty(window, name, { get() { throw new DOMException("denied", "SecurityError"); } });
"""


@pytest.mark.django_db(transaction=True)
def test_runs_are_told_once_a_page_where_the_browser_remembers_nothing(page: Page, alice: Member) -> None:
    page.add_init_script(BLOCKED)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    run = make_run(alice)
    assert progress.fail(run, "remote", timezone.now(), from_statuses=("running",))

    page.goto("/me/")
    line = page.locator("#ended .ended-line")
    expect(line).to_have_count(1)
    line.get_by_role("button", name="Close").click()
    page.evaluate("document.dispatchEvent(new Event('htmx:afterSettle'))")
    expect(line).to_have_count(0)
    page.goto(run.app.get_absolute_url())
    expect(page.locator("form[data-draft-url]")).to_be_visible()
    assert errors == []
