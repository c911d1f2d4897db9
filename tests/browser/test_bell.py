"""Runs that end while their owner is on another page are announced by a line, the bell, the tab's title and, if the
owner wants one, an email."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from runs.engine import progress
from runs.models import Member
from tests.browser.acts import a_run_that_goes_on, address_in, expect_picture
from tests.browser.apps import LEFT_ALONE
from tests.browser.page_clock import hide, pass_time, stop_time
from tests.browser.visitors import Guests, Visitor
from tests.browser.whole import Whole
from tests.support.browser import await_scripts, release
from tests.support.factories import make_run
from tests.support.page_checks import SIDEWAYS

pytestmark = pytest.mark.browser


def test_a_run_that_ends_is_told_on_any_page(guests: Guests, whole: Whole) -> None:
    visitor = guests(hasty=True)
    page = visitor.page
    run = a_run_that_goes_on(whole, visitor)
    page.goto(f"/runs/{run}/")
    page.get_by_role("button", name="Email me when it's ready").click()
    expect(page.get_by_text("You'll get an email")).to_be_visible()
    page.goto("/me/")
    line = page.locator("#ended .ended-line")
    visitor.wait_for(lambda: page.locator("#bell[data-watching]").count() == 1, "the page to know of the run")

    whole.move(whole.remote_id(run), "completed")

    expect(line).to_contain_text("Test card: slow")
    line.hover()  # while hovered, it doesn't close by itself
    expect(line).to_contain_text("Ready")
    expect_picture(line.locator(".ended-picture img"))
    expect(page).to_have_title(re.compile(r"^\(1\) "))
    # wait for the email before reading the notice, since no email is sent about notices that have been read
    letter = whole.letter_to(visitor.email)
    line.get_by_role("button", name="Close").press("Enter")
    expect(line).to_have_count(0)
    expect(page.locator("#bell")).to_be_focused()
    page.goto("/help/keys/")  # the line has already been shown, so only the bell is left to announce the run
    expect(page.get_by_role("button", name="Inbox: 1 new")).to_be_visible()
    expect(line).to_have_count(0)

    page.keyboard.press("Tab")
    page.locator("#bell").press("Enter")
    expect(page.get_by_role("link", name=re.compile("Test card: slow"))).to_be_visible()
    expect(page.get_by_role("button", name="Inbox: nothing new")).to_be_visible()
    expect(page.locator("#bell-list")).to_contain_text("Test card: slow")  # the bell's list still has it
    expect(page).to_have_title(re.compile(r"^\w"))
    page.get_by_role("link", name=re.compile("Test card: slow")).click()
    expect(page).to_have_url(re.compile(run))
    assert letter["Subject"] == "Test card: slow is ready"
    page.goto(address_in(letter))
    expect(page).to_have_url(re.compile(run))


def test_a_line_closes_itself_once_it_was_in_view(guests: Guests, whole: Whole) -> None:
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

    page.evaluate("scrollTo({ top: 400, behavior: 'instant' })")  # out of view, a line waits
    pass_time(visitor, 13)
    expect(region.locator(".ended-line")).to_have_count(1)
    page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
    pass_time(visitor, 13)
    expect(region.locator(".ended-line")).to_have_count(0)


def test_what_others_do_counts_within_fifteen_seconds(guests: Guests, whole: Whole) -> None:
    visitor = guests()
    page = visitor.page
    result = whole.inside.ask("result", email=visitor.email, remote_id=LEFT_ALONE, text="Words that sell")
    stop_time(page)
    page.goto("/help/keys/")
    pass_time(visitor, 4)  # by now, the news frame has been requested, and won't be again for a minute
    expect(page.get_by_role("button", name="Inbox: nothing new")).to_be_visible()

    whole.inside.ask("reply_to", email=visitor.email, result=result)  # the teammate also decides on the result

    pass_time(visitor, 16)
    expect(page.get_by_role("button", name="Inbox: 2 new")).to_be_visible()
    expect(page).to_have_title(re.compile(r"^\(2\) "))

    # the open page of the result, or of its run, shows the next comment; a notice about it counts as read
    page.goto(f"/results/{result}/")
    for list_, about in (("#comments-list", "result"), ("#run-timeline", "run")):
        if about == "run":
            page.locator(".run-crumb a").first.click()
            await_scripts(page)
        pass_time(visitor, 4)
        page.locator("#text-new").fill("Meanwhile, I'm writing this")
        before = page.locator(f"{list_} .comment-text").count()
        whole.inside.ask("reply_to", email=visitor.email, result=result, about=about)
        pass_time(visitor, 16)
        expect(page.locator(f"{list_} .comment-text")).not_to_have_count(before)
        expect(page.locator("#text-new")).to_have_value("Meanwhile, I'm writing this")
        pass_time(visitor, 16)  # the bell may be asked for before the comments
        expect(page.get_by_role("button", name="Inbox: nothing new")).to_be_visible()


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
    expect(page.locator("#ended .ended-line")).to_have_count(0)  # in a hidden tab, nobody would see a line

    hide(page, False)
    pass_time(visitor, 1)
    expect(page.locator("#ended .ended-line")).to_have_count(1)


def test_without_scripts_the_next_page_tells_and_the_inbox_works(guests: Guests, whole: Whole) -> None:
    visitor = guests(width=320, scripts=False)
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
    use_the_inbox(visitor, whole)


def use_the_inbox(visitor: Visitor, whole: Whole) -> None:
    """Follow a notice to the comment it's about, mute and unmute a run, and mark the remaining notices as read."""
    page = visitor.page
    for _ in range(2):
        result = whole.inside.ask("result", email=visitor.email, remote_id=LEFT_ALONE, text="Words that sell")
        whole.inside.ask("reply_to", email=visitor.email, result=result)  # the teammate also decides on the result
    page.goto("/inbox/")
    expect(page.locator(".inbox-line.is-unread")).to_have_count(4)
    page.locator(".inbox-line").get_by_role("link", name=re.compile("replied")).first.click()
    expect(page).to_have_url(re.compile(rf"/results/{result}/.*#comment-\w+$"))
    page.goto("/inbox/")
    expect(page.locator(".inbox-line.is-unread")).to_have_count(2)
    page.get_by_role("button", name=re.compile("^Mute (?!conversation)")).first.click()
    expect(page.get_by_text("You won't be notified about this run any more.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("You'll be notified again from now on.")).to_be_visible()
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.locator(".inbox-line.is-unread")).to_have_count(0)
    assert page.evaluate(SIDEWAYS) == ""


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
