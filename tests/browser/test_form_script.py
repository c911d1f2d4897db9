"""What app_form.js adds to a form, in a real browser: immediate uploads, reordering, search, drafts."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import ConsoleMessage, FilePayload, Page, Route, expect

from runs.models import Draft, Member, Run
from runs.team import sessions
from runs.web.body_limits import SENTENCES
from tests.support.factories import make_app
from tests.support.form_examples import options, text, url
from tests.support.processes import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
CUT_SHORT = ("htmx:sendAbort", "htmx:sendError", "htmx:afterRequest")  # for a save cut off by leaving the page
REFUSED = ("401", "422")
PICTURES = url("Pictures", id="p", accept=["image"], multiple=True, default=[])
STYLES = options(*[f"Look {n}" for n in range(30)], "Café noir", name="Look", id="l", default="Look 3")


@pytest.fixture(autouse=True)
def _nothing_is_blocked(page: Page) -> Iterator[None]:
    """Fail if the policy blocks anything or a script has an error."""
    said: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if (
            message.type == "error"
            and not message.text.startswith(CUT_SHORT)
            and not any(code in message.text for code in REFUSED)
        ):
            said.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: None if "ransition" in str(error) else said.append(str(error)))
    yield
    assert said == []


def picture(name: str, colour: str = "teal") -> FilePayload:
    drawn = BytesIO()
    Image.new("RGB", (60, 40), colour).save(drawn, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": drawn.getvalue()}


def opened(page: Page, *parameters: dict[str, Any]) -> None:
    app = make_app(parameters=list(parameters), outputs=[{"index": 0, "label": "Front", "type": "image"}])
    page.goto(app.get_absolute_url())
    if page.locator("details.more").count():
        page.locator("details.more > summary").click()


def names(page: Page) -> list[str]:
    return page.locator(".file-name").all_inner_texts()


def test_a_file_of_somebody_who_was_signed_out_says_how_it_gets_in(page: Page, alice: Member) -> None:
    opened(page, PICTURES)
    sessions.end_all(alice)
    page.locator("#p0_file").set_input_files([picture("a.png")])
    expect(page.locator(".file-tile.is-failed .file-facts")).to_have_text(SENTENCES[401])


def test_files_are_ordered_and_removed_without_losing_the_focus(page: Page) -> None:
    opened(page, PICTURES)
    page.locator("#p0_file").set_input_files([picture("a.png"), picture("b.png"), picture("c.png")])
    expect(page.locator(".file-tile.is-ready")).to_have_count(3)
    first = names(page)[0]
    page.get_by_role("button", name=f"Move {first} later").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    wait_until(lambda: names(page)[2] == first, "it to be the last one")
    expect(page.get_by_role("button", name=f"Move {first} earlier")).to_be_focused()
    page.get_by_role("button", name=f"Remove {first}").click()
    expect(page.locator(".file-tile")).to_have_count(2)
    expect(page.locator("#p0_file")).to_be_focused()
    expect(page.locator("[data-summary-of=p0]")).to_have_text("2 chosen")


def test_a_refused_file_says_why_and_the_rest_stays(page: Page) -> None:
    opened(page, url("Photo", accept=["image"]))
    page.locator("#p0_file").set_input_files(picture("good.png"))
    expect(page.locator(".file-tile.is-ready")).to_have_count(1)
    fake: FilePayload = {"name": "fake.png", "mimeType": "image/png", "buffer": b"no picture"}
    page.locator("#p0_file").set_input_files(fake)
    expect(page.locator(".upload-error [role=alert]")).to_contain_text("picture")
    expect(page.locator(".file-tile.is-ready")).to_contain_text("good.png")
    page.locator("#p0_file").set_input_files(picture("better.png"))
    expect(page.locator(".file-tile")).to_have_count(1)
    expect(page.locator(".file-tile.is-ready")).to_contain_text("better.png")


def release(page: Page, held: list[Route]) -> None:
    """Release the request that a route is holding, once it has arrived."""

    def has_left() -> bool:
        page.wait_for_timeout(1)  # lets Playwright handle browser events
        return bool(held)

    wait_until(has_left, "the upload to leave the page")
    held[0].continue_()


def test_run_waits_for_the_upload_and_then_goes_by_itself(page: Page) -> None:
    opened(page, url("Photo", accept=["image"]))
    held: list[Route] = []
    page.route("**/uploads/", lambda route: held.append(route))
    with page.expect_request("**/uploads/"):
        page.locator("#p0_file").set_input_files(picture("slow.png"))
    run = page.locator("[data-run]")
    run.click()
    expect(run).to_contain_text("Waiting for uploads")
    assert not Run.objects.exists()
    with page.expect_navigation(url="**/runs/*/"):
        release(page, held)
    assert Run.objects.get().inputs.get().uploads.count() == 1


def test_run_waits_no_longer_when_the_upload_is_refused(page: Page) -> None:
    opened(page, url("Photo", accept=["image"]))
    held: list[Route] = []
    page.route("**/uploads/", lambda route: held.append(route))
    fake: FilePayload = {"name": "fake.png", "mimeType": "image/png", "buffer": b"no picture"}
    with page.expect_request("**/uploads/"):
        page.locator("#p0_file").set_input_files(fake)
    page.locator("[data-run]").click()
    release(page, held)
    expect(page.locator("[data-problem]")).to_have_text("Remove the files that failed, then try again.")
    expect(page.locator(".upload-error")).to_be_visible()
    expect(page.locator("[data-run]")).to_have_text("Run")
    assert not Run.objects.exists()


def test_a_second_press_does_nothing(page: Page) -> None:
    opened(page, text("Idea", default=""))
    page.evaluate(
        """() => {
            window.prevented = [];
            addEventListener("submit", (event) => { prevented.push(event.defaultPrevented); event.preventDefault(); });
        }"""
    )
    run = page.locator("[data-run]")
    run.click()
    expect(run).to_have_text("Starting…")
    expect(run).to_have_attribute("aria-disabled", "true")
    expect(page.locator("#announcer")).to_have_text("Starting…")
    run.dispatch_event("click")
    wait_until(lambda: page.evaluate("prevented") == [False, True], "the second press")


def test_a_long_list_is_narrowed_and_enter_takes_the_first(page: Page) -> None:
    opened(page, STYLES)
    box = page.get_by_role("searchbox", name="Search the 31 choices of Look")
    box.fill("cafe")
    expect(page.locator("#announcer")).to_have_text("1 found")
    expect(page.locator("#p0 option:not([hidden])")).to_have_text(["Look 3", "Café noir"])
    box.press("Enter")
    expect(page.locator("#p0")).to_have_value("30")
    expect(page.locator("#p0 option:not([hidden])")).to_have_count(31)
    expect(page.locator("[data-summary-of=p0]")).to_have_text("Café noir")
    expect(box).to_have_value("")


def test_what_is_typed_survives_a_reload_even_before_it_was_saved(page: Page) -> None:
    opened(page, text("Idea"), PICTURES)
    page.get_by_label("Idea").fill(" two\nlines  ")
    expect(page.locator("[data-kept]")).to_be_visible()
    page.locator("#p1_file").set_input_files(picture("a.png"))
    expect(page.locator(".file-tile.is-ready")).to_have_count(1)
    page.get_by_label("Idea").press_sequentially("!")
    page.reload()
    expect(page.get_by_label("Idea")).to_have_value(" two\nlines  !")
    expect(page.locator(".file-tile.is-ready")).to_contain_text("a.png")
    wait_until(lambda: Draft.objects.get().answers[0]["value"] == " two\nlines  !", "the last words to be kept")


def test_a_bad_link_is_reported_at_once(page: Page) -> None:
    opened(page, url("Photo", accept=["image"]))
    page.get_by_text("Use a link").click()
    page.locator("[name=p0_link]").fill("shoe.png")
    page.keyboard.press("Enter")
    expect(page.locator("[data-problem]")).to_contain_text("A link starts with https://")
    assert page.locator(".file-tile").count() == 0


def test_slash_goes_to_the_search_box_but_not_from_a_field(page: Page) -> None:
    opened(page, text("Idea"))
    page.get_by_label("Idea").press("/")
    expect(page.get_by_label("Idea")).to_have_value("/")
    page.locator("[data-run]").focus()
    page.keyboard.press("/")
    expect(page.locator("#bar-q")).to_be_focused()


def test_what_has_the_focus_is_never_under_the_bar_of_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 640})
    opened(page, *[text(f"Idea {n}") for n in range(8)])
    launch = page.locator(".launch")
    for _ in range(14):
        page.keyboard.press("Tab")
        at = page.evaluate("document.activeElement.getBoundingClientRect().bottom")
        if page.evaluate("!!document.activeElement.closest('.form-main')"):
            assert at <= page.evaluate("document.querySelector('.launch').getBoundingClientRect().top")
    expect(launch).to_be_in_viewport()
