"""Going back after Run: the form returns with all its inputs, or empty with an explanation, but never half filled
in."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.signals import request_started
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from runs.launching import prefill
from runs.models import App, Member, Run
from tests.browser.acts import a_photo, photo_on_disk
from tests.support.browser import TIMEOUT_MS, sign_in
from tests.support.clients import client_of
from tests.support.factories import make_app, make_run
from tests.support.firefox import Firefox, firefox
from tests.support.form_examples import options, text, url

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SAMPLE = "https://example.com/sample.png"
PARAMETERS = [
    text("Idea"),
    url("Photo", id="p", accept=["image"], default=SAMPLE),
    options("Oil", "Ink", name="Look", id="l", default="Oil"),
]
OUTPUTS = [{"index": n, "label": label, "type": "image"} for n, label in enumerate(["Front", "Back"])]
# Records, each time the page is shown, whether it came from the back/forward cache.
SHOWN = """addEventListener("pageshow", ({ persisted }) => {
    sessionStorage.shown = `${sessionStorage.shown ?? ""} ${location.pathname}:${persisted}`;
});"""

AS_FROM_CACHE = """sentToken => {
    history.replaceState({ sentToken }, "");
    dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
}"""


def fill_in(page: Page) -> None:
    page.get_by_label("Idea").fill("A red shoe")
    page.locator("[name=p1_file]").set_input_files(a_photo("shoe.png"))
    page.locator("details.more > summary").click()
    page.get_by_role("radio", name="Ink").check()
    page.get_by_role("checkbox", name="Back").uncheck()


def press_run(page: Page) -> None:
    page.get_by_role("button", name="Run", exact=True).last.click()
    page.wait_for_url("**/runs/*/")


def expect_whole(page: Page) -> None:
    """Expect the form to contain everything that `fill_in` entered."""
    expect(page.get_by_label("Idea")).to_have_value("A red shoe")
    expect(page.locator(".file-tile[data-file]")).to_contain_text("shoe.png")
    expect(page.get_by_role("radio", name="Ink")).to_be_checked()
    expect(page.get_by_role("checkbox", name="Back")).not_to_be_checked()
    expect(page.get_by_role("checkbox", name="Front")).to_be_checked()


def inputs_of(run: Run) -> list[tuple[str, Any, int]]:
    return [(given.name, given.value, given.uploads.count()) for given in run.inputs.order_by("position")]


def path_of_form() -> str:
    return make_app(parameters=PARAMETERS, outputs=OUTPUTS).get_absolute_url()


@pytest.fixture
def back_page(alice: Member, live_server: LiveServer, new_chromium: Callable[..., Browser]) -> Iterator[Page]:
    """Alice's page in Chromium with the back/forward cache on, as it is for real users; Playwright turns it off by
    default."""
    browser = new_chromium(ignore_default_args=["--disable-back-forward-cache"])
    context = browser.new_context(base_url=live_server.url)
    context.set_default_timeout(TIMEOUT_MS)
    sign_in(context, alice, live_server.url)
    yield context.new_page()
    browser.close()


@pytest.fixture
def answered() -> Iterator[list[str]]:
    """Collect the requests that reach the portal, as "path?query". Unlike the requests that Playwright reports, these
    exclude any that Chromium answered from its own cache."""
    urls: list[str] = []

    def note(environ: dict[str, Any], **_more: Any) -> None:
        urls.append(f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}")

    request_started.connect(note)
    yield urls
    request_started.disconnect(note)


def test_back_after_run_brings_back_everything(back_page: Page, answered: list[str]) -> None:
    page = back_page
    page.context.add_init_script(SHOWN)
    path = path_of_form()
    page.goto(path)
    fill_in(page)
    expect(page.locator(".file-tile.is-ready")).to_have_count(1)
    press_run(page)
    answered.clear()

    page.go_back()

    expect_whole(page)
    first = Run.objects.get()
    shown = page.evaluate("sessionStorage.shown").split()
    was_kept, was_fetched = f"{path}:true" in shown[2:], f"{path}?" in answered
    assert was_kept != was_fetched, "the form came from another cache than the one for Back"
    press_run(page)
    second = Run.objects.latest("pk")
    assert (second.pk != first.pk, inputs_of(second)) == (True, inputs_of(first))
    assert second.wanted_outputs == first.wanted_outputs == [0]
    page.goto(path)
    page.evaluate(AS_FROM_CACHE, second.form_token)  # Chromium currently doesn't cache pages that mustn't be stored
    expect_whole(page)


def test_back_after_run_still_makes_the_next_version(page: Page, alice: Member) -> None:
    path = path_of_form()
    result = make_run(alice, App.objects.get(), status="completed").outputs.get(label="Front")
    page.goto(f"{path}?next={result.public_id}")
    page.get_by_label("Idea").fill("A red shoe")
    page.get_by_role("checkbox", name="Back").check()
    page.get_by_role("checkbox", name="Front").uncheck()  # so that only the browser still remembers version 2
    press_run(page)

    page.go_back()

    expect(page.get_by_label("Idea")).to_have_value("A red shoe")
    expect(page.locator(".next-version")).to_contain_text("version 2 of Front")
    expect(page.get_by_role("checkbox", name="Front")).not_to_be_checked()
    page.get_by_role("checkbox", name="Front").check()
    press_run(page)
    assert [made.number for made in result.later_versions.all()] == [2]


def test_back_past_a_form_that_was_refused_shows_it_again(page: Page) -> None:
    page.goto(path_of_form())
    page.locator("[data-run]").click()
    expect(page.locator("#errors")).to_be_visible()
    fill_in(page)
    expect(page.locator(".file-tile.is-ready")).to_have_count(1)
    press_run(page)
    page.go_back()
    expect_whole(page)


def test_back_without_scripts_is_empty_with_a_sentence(plain_page: Page) -> None:
    page = plain_page
    path = path_of_form()
    page.goto(path)
    fill_in(page)
    page.goto("/history/")
    page.go_back()
    expect(page.get_by_label("Idea")).to_have_value("A red shoe")  # not sent yet: the browser remembers it
    page.locator("[name=p1_file]").set_input_files(a_photo("shoe.png"))
    press_run(page)

    page.go_back()

    expect(page.get_by_label("Idea")).to_have_value("")
    notice = page.locator(".app-notes .notice")
    expect(notice).to_contain_text("Your run has started, so this form is empty again.")
    notice.get_by_role("link", name="Use the same inputs again").click()
    expect_whole(page)


def test_back_without_scripts_to_a_form_opened_from_a_run_shows_that_run_whole(plain_page: Page) -> None:
    page = plain_page
    page.goto(path_of_form())
    fill_in(page)
    press_run(page)
    page.goto(prefill.form_url(App.objects.get(), run=Run.objects.get()))
    page.get_by_label("Idea").fill("A blue shoe")
    page.locator("[name=p1_file]").set_input_files(a_photo("blue.png"))
    press_run(page)

    page.go_back()

    expect_whole(page)
    notice = page.locator(".app-notes .notice")
    expect(notice).to_contain_text("Your run has started. The form now shows the values it was opened with.")
    notice.get_by_role("link", name="Use the same inputs again").click()
    expect(page.get_by_label("Idea")).to_have_value("A blue shoe")
    expect(page.locator(".file-tile[data-file]")).to_contain_text("blue.png")


def test_back_without_scripts_half_an_hour_after_run_is_empty(plain_page: Page) -> None:
    page = plain_page
    page.goto(path_of_form())
    fill_in(page)
    press_run(page)
    Run.objects.update(created_at=timezone.now() - timedelta(minutes=30))
    page.go_back()
    expect(page.get_by_label("Idea")).to_have_value("")


FILL_IN_FIREFOX = """(() => {
    const find = (css) => document.querySelector(css);
    find("[name=p0]").value = "A red shoe";
    find("details.more").open = true;
    find("[name=p2][value='1']").click();
    find("[name=outputs][value='1']").click();
    find("[name=p0]").dispatchEvent(new Event("input", { bubbles: true }));
})()"""
IS_WHOLE = """(() => {
    const find = (css) => document.querySelector(css);
    return find("[name=p0]")?.value === "A red shoe"
        && find(".file-tile[data-file]")?.textContent.includes("me.png")
        && find("[name=p2][value='1']")?.checked && !find("[name=outputs][value='1']")?.checked;
})()"""
IS_RUN_PAGE = "location.pathname.startsWith('/runs/')"


def run_in_firefox(browser: Firefox, member: Member, path: str, photo: Path) -> None:
    """Fill in the form, press Run, and go back."""
    cookie = client_of(member).cookies["sessionid"]
    browser.set_cookie(cookie.key, cookie.value)
    browser.goto(path)
    browser.choose_file("[name=p1_file]", photo)
    if browser.run("matchMedia('(scripting: enabled)').matches"):
        browser.wait_for("!!document.querySelector('.file-tile.is-ready')", "the upload")
    browser.run(FILL_IN_FIREFOX)
    browser.run("document.querySelector('[data-run]').click()")
    browser.wait_for(IS_RUN_PAGE, "the run's page")
    browser.back()


def test_firefox_does_the_same(tmp_path: Path, alice: Member, live_server: LiveServer) -> None:
    path, photo = path_of_form(), photo_on_disk(tmp_path)
    with firefox(tmp_path / "scripts", live_server.url) as browser:
        run_in_firefox(browser, alice, path, photo)
        browser.wait_for(IS_WHOLE, "the whole form")
    with firefox(tmp_path / "plain", live_server.url, scripts=False) as browser:
        run_in_firefox(browser, alice, path, photo)
        browser.wait_for("!!document.querySelector('.app-notes')?.textContent.includes('empty again')", "the sentence")
        assert browser.run("document.querySelector('[name=p0]').value") == ""
    assert Run.objects.count() == 2
