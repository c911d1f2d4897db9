"""After people sign out, no page can be brought back; before that, their browser fetches each file only once."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from runs.models import Member, Run
from tests.support.browser import Problems, sign_in
from tests.support.factories import make_kept, make_run
from tests.support.processes import wait_until
from tests.support.raw_http import serving

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

IN_CACHE = """(count) => {
    const files = performance.getEntriesByType("resource").filter(({ name }) => name.includes("/files/"));
    return files.length === count && files.map(({ transferSize }) => transferSize);
}"""

IS_KEPT = """(urls) => Promise.all(urls.map((url) =>
    fetch(url, { cache: "only-if-cached", mode: "same-origin" }).then(({ ok }) => ok, () => false)))"""


@pytest.fixture
def run(alice: Member) -> Run:
    run = make_run(alice, status="completed", title="The quartz title")
    make_kept(run)
    return run


@pytest.fixture(params=[True, False], ids=["pages are frozen", "pages are not frozen"])
def keeping(
    request: pytest.FixtureRequest, new_chromium: Callable[..., Browser], live_server: LiveServer
) -> Iterator[BrowserContext]:
    """A real browser; each test runs twice, with and without pages being frozen for the Back button."""
    without = ["--disable-back-forward-cache"] if request.param else []
    chromium = new_chromium(ignore_default_args=without)
    yield chromium.new_context(base_url=live_server.url)
    chromium.close()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="your menu").click()
    with page.expect_response("**/logout/") as left:
        page.get_by_role("button", name="Sign out").click()
    assert left.value.all_headers()["clear-site-data"] == '"cache"'
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def go(page: Page, steps: int) -> None:
    """Go back or forward, like the browser's buttons; frozen pages send Playwright no events."""
    page.evaluate("steps => setTimeout(() => history.go(steps))", steps)
    page.wait_for_timeout(300)


def test_back_shows_the_sign_in_page(keeping: BrowserContext, alice: Member, run: Run, live_server: LiveServer) -> None:
    sign_in(keeping, alice, live_server.url)
    page = keeping.new_page()
    page.goto("/")
    expect(page.get_by_text("The quartz title").first).to_be_visible()
    page.get_by_role("navigation").get_by_role("link", name="History").click()
    page.locator(".run-card").get_by_role("link", name="The quartz title").first.click()
    expect(page.get_by_role("heading", name="The quartz title")).to_be_visible()
    go(page, -1)
    expect(page.get_by_role("heading", name="History")).to_be_visible()
    go(page, 1)  # while signed in, both directions work
    expect(page.get_by_role("heading", name="The quartz title")).to_be_visible()
    sign_out(page)
    for _ in range(3):
        go(page, -1)
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        expect(page.locator("html")).not_to_contain_text("quartz")


def transferred(page: Page) -> list[int]:
    """Open History; once its six pictures have arrived, return how many bytes each of them took on the wire."""
    page.goto("/history/")
    sizes: list[int] = page.wait_for_function(IN_CACHE, arg=6).json_value()
    return sizes


def test_a_picture_comes_once_in_a_session(page: Page, alice: Member, problems: Problems) -> None:
    for _ in range(6):
        make_kept(make_run(alice, status="completed"))
    page.goto("/me/")  # stores the browser's time zone in a cookie now, since cached files depend on all cookies
    assert "time_zone" in {cookie.get("name") for cookie in page.context.cookies()}
    first = transferred(page)
    page.goto("/me/")
    page.locator("form").filter(has=page.get_by_label("Name")).get_by_role("button").click()
    expect(page.get_by_text("Your settings were saved.")).to_be_visible()  # the message is stored in a cookie
    again = transferred(page)
    assert min(first) > 0
    assert max(again) == 0
    urls = page.evaluate("() => [...document.images].map(({ src }) => src).filter((src) => src.includes('/files/'))")
    assert page.evaluate(IS_KEPT, urls) == [True] * 6
    sign_out(page)
    problems.forgive("net::ERR_CACHE_MISS")
    assert page.evaluate(IS_KEPT, urls) == [False] * 6  # the next person who uses this browser can't see the pictures


def test_a_page_that_was_fetched_ahead_is_shown(browser: Browser, alice: Member, run: Run, tmp_path: Path) -> None:
    """Prefetching works even though pages mustn't be cached. This test uses the portal's real server, because Django's
    own server doesn't know the MIME type of the rules."""
    log = ("--access-logfile", "-", "--access-logformat", "%(m)s %(U)s %({sec-purpose}i)s.")
    with serving(tmp_path, *log) as server:
        context = browser.new_context(base_url=server.url)
        sign_in(context, alice, server.url)
        page = context.new_page()
        page.goto("/", wait_until="networkidle")
        link = page.get_by_role("navigation").get_by_role("link", name="History")
        link.hover()
        wait_until(lambda: "GET /history/ prefetch." in server.home.output(), "the browser to fetch it ahead")
        link.click()
        expect(page.get_by_role("heading", name="History")).to_be_visible()
        expect(page.get_by_text("The quartz title").first).to_be_visible()
        context.close()
        assert server.home.output().count("GET /history/ ") == 1
