"""An action that fails shows an error on the page; background requests fail silently."""

import pytest
from playwright.sync_api import Page, expect

from runs.models import Member, Run
from tests.support.browser import Problems
from tests.support.factories import make_kept, make_run

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

IN_BACKGROUND = "htmx.ajax('GET', '/live/nowhere/', { source: 'main', swap: 'none' }).catch(() => {})"
A_BOX = """() => {
    const html = '<input aria-label="Act here" hx-get="/live/nowhere/" hx-trigger="input" hx-swap="none">';
    document.querySelector("main").insertAdjacentHTML("afterbegin", html);
    htmx.process(document.querySelector("main"));
}"""


@pytest.fixture(autouse=True)
def _failures_are_on_purpose(problems: Problems) -> None:
    problems.forgive(r"htmx:\w+, \[object|Response Status Error|net::ERR_FAILED")


@pytest.fixture
def run(alice: Member) -> Run:
    run = make_run(alice, status="completed")
    make_kept(run)
    return run


def test_a_refused_star_says_why_until_the_next_action(page: Page, alice: Member, run: Run) -> None:
    page.goto("/history/")
    page.locator(".run-card-tick input").check()
    star, note = page.locator(".run-card-star button"), page.get_by_role("alert")
    Member.objects.filter(pk=alice.pk).update(role="viewer")
    star.click()
    expect(note).to_contain_text("You can't do that any more")
    expect(note).to_be_in_viewport()
    page.get_by_role("button", name="Download", exact=True).click(trial=True)  # the note doesn't cover the bar
    note.click()
    expect(note).to_have_count(0)


def test_the_sheet_says_when_it_cannot_load(page: Page, run: Run) -> None:
    page.goto("/history/")
    Run.objects.filter(pk=run.pk).update(member=Member.objects.create(email="eve@example.com"))
    page.get_by_role("button", name="More actions for").click()
    page.get_by_role("button", name="Share", exact=True).click()
    expect(page.get_by_role("dialog", name="Sharing").get_by_role("alert")).to_contain_text(
        "no longer exists or is no longer shared"
    )


@pytest.mark.parametrize("at", ["/", "/history/", "/shares/", "run", "share", "file"])
def test_every_page_with_such_actions_has_it(page: Page, run: Run, at: str) -> None:
    url = run.get_absolute_url()
    page.route("**/live/nowhere/", lambda route: route.abort())
    page.goto({"run": url, "share": f"{url}share/", "file": run.outputs.all()[0].get_absolute_url()}.get(at, at))
    note, box = page.get_by_role("alert"), page.get_by_label("Act here")
    page.evaluate(IN_BACKGROUND)  # this request fails, but the page shows no error
    expect(note).to_have_count(0)
    page.evaluate(A_BOX)
    box.press("a")
    expect(note).to_contain_text("didn't go through")
    page.evaluate(IN_BACKGROUND)  # a background request doesn't remove the note either
    expect(note).to_contain_text("didn't go through")
    page.unroute("**/live/nowhere/")
    page.route("**/live/nowhere/", lambda route: route.fulfill(body=""))
    box.press("b")
    expect(note).to_have_count(0)


def test_the_poller_stays_quiet(page: Page, alice: Member) -> None:
    make_run(alice)
    page.route("**/live/*", lambda route: route.abort())
    page.goto("/history/")
    with page.expect_event("requestfailed"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.evaluate("new Promise(requestAnimationFrame)")
    expect(page.get_by_role("alert")).to_have_count(0)
