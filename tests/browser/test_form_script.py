"""What app_form.js and app_files.js add to a form, in a real browser: immediate uploads, reordering, search, drafts."""

import os
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, Route, expect

from runs.models import Draft, Member, Preset, Run
from runs.team import sessions
from runs.uploads import quota
from runs.web.body_limits import SENTENCES
from tests.support.browser import Problems, release
from tests.support.clients import PASSWORD
from tests.support.factories import make_app, make_run
from tests.support.form_examples import options, text, url
from tests.support.processes import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PICTURES = url("Pictures", id="p", accept=["image"], multiple=True, default=[])
STYLES = options(*[f"Look {n}" for n in range(30)], "Café noir", name="Look", id="l", default="Look 3")

CHOOSE = """([name, bytes]) => {
    const input = document.querySelector("#p0_file"), data = new DataTransfer();
    data.items.add(new File([Uint8Array.from(bytes)], name, { type: "image/png" }));
    input.files = data.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
}"""


def picture(name: str, colour: str = "teal") -> FilePayload:
    drawn = BytesIO()
    Image.new("RGB", (60, 40), colour).save(drawn, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": drawn.getvalue()}


def given(name: str) -> list[Any]:
    """Return a picture in the format that CHOOSE expects. CHOOSE selects it immediately, whereas Playwright would first
    wait for a navigation to end."""
    return [name, list(picture(name)["buffer"])]


def opened(page: Page, *parameters: dict[str, Any]) -> None:
    app = make_app(parameters=list(parameters), outputs=[{"index": 0, "label": "Front", "type": "image"}])
    page.goto(app.get_absolute_url())
    if page.locator("details.more").count():
        page.locator("details.more > summary").click()


def names(page: Page) -> list[str]:
    return page.locator(".file-name").all_inner_texts()


def test_a_file_of_somebody_who_was_signed_out_says_how_it_gets_in(
    page: Page, alice: Member, problems: Problems
) -> None:
    problems.forgive("Error Code 401 from /uploads/")
    opened(page, PICTURES)
    sessions.end_all(alice)
    page.locator("#p0_file").set_input_files([picture("a.png")])
    expect(page.locator(".file-tile.is-failed .file-facts")).to_have_text(SENTENCES[401])


def test_a_file_that_the_disk_has_no_room_for_says_so(page: Page, problems: Problems) -> None:
    problems.forgive("status of 507|Error Code 507 from /uploads/|htmx:responseError")
    opened(page, PICTURES)
    page.route(
        "**/uploads/?app=*", lambda route: route.fulfill(status=507, content_type="text/plain", body=SENTENCES[507])
    )
    page.locator("#p0_file").set_input_files([picture("a.png")])
    expect(page.locator(".file-tile.is-failed .file-facts")).to_have_text(SENTENCES[507])


def test_a_large_file_without_room_is_not_sent(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problems: Problems
) -> None:
    problems.forgive("status of 507")
    monkeypatch.setattr(quota, "UNUSED_BYTES", 1_500_000)
    opened(page, PICTURES)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    path = tmp_path / "large.png"
    path.touch()
    os.truncate(path, 2_000_000)
    page.locator("#p0_file").set_input_files(path)
    expect(page.locator(".file-tile.is-failed .file-facts")).to_contain_text("You've reached the limit")
    assert not [url for url in sent if "/uploads/" in url]


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


def test_a_file_chosen_while_the_last_one_settles_is_not_lost(page: Page) -> None:
    """htmx first inserts a tile and then settles it; a file may be chosen in between."""
    opened(page, url("Photo", accept=["image"]))
    page.evaluate(
        f"""(given) => document.addEventListener("htmx:afterSwap", function choose() {{
            if (!document.querySelector(".file-tile")) return;  // another part of the page was swapped
            document.removeEventListener("htmx:afterSwap", choose);
            ({CHOOSE})(given);
        }})""",
        given("second.png"),
    )
    page.locator("#p0_file").set_input_files(picture("first.png"))
    expect(page.locator(".file-tile.is-ready")).to_contain_text(["second.png"])  # the first file's tile is gone


def test_a_file_that_is_saved_while_the_page_reloads_is_not_lost(page: Page) -> None:
    """The server may have rendered the reloaded page before it saved the file. A second file, chosen on this outdated
    page, isn't lost either."""
    opened(page, PICTURES)
    older = page.request.get(page.url).text()
    with page.expect_response(lambda answer: "_kept" in (answer.request.post_data or "") and answer.status == 204):
        page.locator("#p0_file").set_input_files(picture("first.png"))
    expect(page.locator("[data-draft-saved]")).to_be_visible()
    page.evaluate(
        """() => {  // as if the answer had come after the reload began
            const [[draft, last]] = Object.entries(sessionStorage).filter(([name]) => name.startsWith("/drafts/"));
            sessionStorage.setItem(draft, JSON.stringify({ ...JSON.parse(last), at: Date.now() + 600_000 }));
        }"""
    )
    held: list[Route] = []
    page.route("**/app_form*.js", lambda route: route.continue_() if held else held.append(route))
    page.route(page.url, lambda route: route.fulfill(body=older, content_type="text/html"), times=1)
    page.reload(wait_until="commit")
    expect(page.locator(".file-tile")).to_have_count(0)
    page.locator("#p0_file").set_input_files(picture("second.png"))
    release(page, held)
    expect(page.locator(".file-tile.is-ready")).to_have_count(2)
    assert names(page) == ["first.png", "second.png"]


def test_files_that_cannot_be_used_are_refused_before_they_are_sent(page: Page, tmp_path: Path) -> None:
    opened(page, url("Photo", accept=["image"]), url("Films", id="f", accept=["video"], multiple=True))
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if "/uploads/" in request.url else None)
    photo, films = (page.locator(f"[data-upload=p{n}]") for n in (0, 1))

    def choose(box: Locator, *names: str, megabytes: int = 60) -> Locator:
        paths = [tmp_path / name for name in names]
        for path in paths:
            path.touch()
            os.truncate(path, megabytes * 1_000_000)
        box.locator("[type=file]").set_input_files(paths)
        return box.locator("[data-problem]")

    expect(choose(photo, "big.png")).to_have_text("“big.png” is 60 MB; the limit here is 50 MB.")
    expect(choose(photo, "reel.mp4", megabytes=2)).to_have_text("“reel.mp4” can't be used here. Add a picture.")
    expect(choose(photo, "logo.svg", megabytes=2)).to_contain_text("SVG files can't be used here.")
    expect(choose(photo, "me.HEIC", megabytes=2)).to_contain_text("HEIC photos can't be used here.")
    expect(choose(films, "old.wmv", megabytes=2)).to_have_text(
        "“old.wmv” is in a format that can't be used here. Save it as MP4, and choose the new file."
    )
    expect(choose(films, "a.png", "b.mp3")).to_have_text(
        "“a.png” can't be used here. Add a video. “b.mp3” can't be used here. Add a video."
    )
    assert sent == []
    photo.evaluate(
        """(box, files) => {
            const dataTransfer = new DataTransfer();
            for (const [name, bytes] of files)
                dataTransfer.items.add(new File([Uint8Array.from(bytes)], name, { type: "image/png" }));
            box.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer }));
        }""",
        [[name, list(picture(name)["buffer"])] for name in ("x.png", "y.png")],
    )
    expect(photo.locator(".file-tile.is-ready")).to_contain_text("x.png")
    expect(photo.locator("[data-problem]")).to_have_text(
        "This field takes one file. We added “x.png” and left out y.png."
    )
    assert len(sent) == 1


def test_run_waits_for_the_upload_and_then_goes_by_itself(page: Page) -> None:
    opened(page, url("Photo", accept=["image"]))
    held: list[Route] = []
    page.route("**/uploads/?app=*", lambda route: held.append(route))
    with page.expect_request("**/uploads/?app=*"):
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
    page.route("**/uploads/?app=*", lambda route: held.append(route))
    fake: FilePayload = {"name": "fake.png", "mimeType": "image/png", "buffer": b"no picture"}
    with page.expect_request("**/uploads/?app=*"):
        page.locator("#p0_file").set_input_files(fake)
    page.locator("[data-run]").click()
    release(page, held)
    expect(page.locator("[data-problem]")).to_have_text("Remove the files that failed, then try again.")
    expect(page.locator(".upload-error")).to_be_visible()
    expect(page.locator("[data-run]")).to_have_text("Run")
    assert not Run.objects.exists()


def test_run_without_a_network_keeps_the_form_and_is_sent_again_only_if_asked(page: Page, problems: Problems) -> None:
    problems.forgive("ERR_INTERNET_DISCONNECTED|status of 502|htmx:")
    opened(page, text("Idea"), text("More", id="m", key="m", default=""))
    page.get_by_label("Idea").fill("A red shoe")
    page.get_by_label("More").fill("with laces")
    expect(page.locator("[data-draft-saved]")).to_be_visible()
    run, note, address = page.locator("[data-run]"), page.locator("[data-unsent]"), page.url
    page.context.set_offline(True)
    run.click()
    expect(note).to_contain_text("You're offline. Your inputs are still here.")
    expect(run).to_have_text("Run")
    page.context.set_offline(False)
    page.route(address, lambda route: route.fulfill(status=502))  # a proxy says that the portal is down
    note.get_by_role("button", name="Send it again").click()
    expect(note).to_contain_text("The portal didn't answer.")
    with page.expect_response(lambda answer: answer.status == 502):  # it may wait for an autosave first
        page.get_by_role("button", name="Save as preset").click()
    expect(note).to_contain_text("The portal didn't answer.")
    expect(page.get_by_label("Idea")).to_have_value("A red shoe")
    assert not Run.objects.exists()
    page.unroute(address)
    run.click()
    page.wait_for_url("**/runs/*/")
    assert [given.value for given in Run.objects.get().inputs.all()] == ["A red shoe", "with laces"]


def test_only_the_press_itself_says_whether_it_failed(page: Page) -> None:
    """No other request decides: a slow or refused check of the portal's health isn't a failed press."""
    opened(page, text("Idea", default=""))
    page.route("**/healthz", lambda route: route.fulfill(status=503))
    page.locator("[data-run]").click()
    page.wait_for_url("**/runs/*/")
    assert Run.objects.count() == 1


def test_a_press_whose_answer_is_lost_can_be_sent_again_and_starts_one_run(page: Page, problems: Problems) -> None:
    problems.forgive("net::ERR_FAILED")
    opened(page, text("Idea", default=""))
    page.get_by_label("Idea").fill("A red shoe")

    def lose(route: Route) -> None:
        route.fetch(max_redirects=0)
        route.abort()

    page.route(page.url, lose, times=1)
    note = page.locator("[data-unsent]")
    page.locator("[data-run]").click()
    expect(note).to_contain_text("You can safely send them again: at most one run will start.")
    assert Run.objects.count() == 1
    note.get_by_role("button", name="Send it again").click()
    page.wait_for_url(f"**{Run.objects.get().get_absolute_url()}")
    assert Run.objects.count() == 1


@pytest.mark.parametrize("press", ["Run the same again", "Retry", "Start again"])
def test_a_run_pressed_without_a_network_is_not_sent_and_the_page_stays(
    page: Page, alice: Member, press: str, problems: Problems
) -> None:
    problems.forgive("ERR_INTERNET_DISCONNECTED")
    outputs = [{"index": n, "label": label, "type": "image"} for n, label in enumerate(["Front", "Back"])]
    app = make_app(parameters=[], outputs=outputs)
    if press == "Start again":
        run = make_run(alice, app, status="checking", due_at=None)
    else:
        run = make_run(alice, app, status="completed", outputs_failed=1)
        run.outputs.filter(position=1).update(status="error", error="Stopped.")
    page.goto(f"{run.get_absolute_url()}{'again/' if press.startswith('Run') else ''}")
    button, note = page.get_by_role("button", name=press), page.locator("[data-unsent]:not([hidden])")
    address = page.url
    page.context.set_offline(True)
    button.click()
    expect(note).to_contain_text("You're offline. You can safely try again: at most one run will start.")
    expect(button).to_be_enabled()
    assert page.url == address
    page.context.set_offline(False)
    note.get_by_role("button", name="Send it again").click()
    wait_until(lambda: Run.objects.count() == 2 or Run.objects.filter(status="starting").exists(), "the run to start")


def test_run_that_has_become_too_dear_no_longer_waits_for_an_upload(page: Page) -> None:
    opened(page, url("Photo", accept=["image"]))
    held: list[Route] = []
    page.route("**/uploads/?app=*", lambda route: held.append(route))
    with page.expect_request("**/uploads/?app=*"):
        page.locator("#p0_file").set_input_files(picture("slow.png"))
    page.locator("[data-run]").click()
    page.evaluate(  # imitates the update that shows a new cost and replaces the Run button
        """() => {
            const blocked = '<p id="launch-reason">Not enough credits.</p><button type="button">Run</button>';
            document.querySelector("#launch-go").innerHTML = blocked;
        }"""
    )
    release(page, held)
    expect(page.locator(".file-tile.is-ready")).to_have_count(1)
    expect(page.locator("#announcer")).to_have_text(re.compile("Not enough credits|added"))
    expect(page.locator("#app-form:not([data-waiting])")).to_have_count(1)
    assert not Run.objects.exists()


def test_run_is_sent_even_if_its_button_is_replaced_meanwhile(page: Page, problems: Problems) -> None:
    """When the ticked results change, the new cost arrives together with a new Run button."""
    problems.forgive("net::ERR_FAILED")
    outputs = [{"index": n, "label": label, "type": "image"} for n, label in enumerate(["Front", "Back"])]
    page.goto(make_app(parameters=[], outputs=outputs).get_absolute_url())
    held: list[Route] = []
    page.route(page.url, lambda route: route.abort(), times=1)
    page.locator("[data-run]").click()
    expect(page.locator("[data-unsent]")).to_be_visible()
    page.route(page.url, lambda route: held.append(route))
    with page.expect_request(page.url):
        page.get_by_role("button", name="Send it again").click()
    page.evaluate("document.querySelectorAll('#enter-run, #launch-run').forEach(b => b.replaceWith(b.cloneNode(true)))")
    with page.expect_navigation(url="**/runs/*/"):
        release(page, held)
    assert Run.objects.count() == 1


def test_a_second_press_does_nothing(page: Page) -> None:
    opened(page, text("Idea", default=""))
    held: list[Route] = []
    page.route(page.url, lambda route: held.append(route))
    run = page.locator("[data-run]")
    with page.expect_request(page.url):
        run.click()
    expect(run).to_have_text("Starting…")
    expect(run).to_have_attribute("aria-disabled", "true")
    expect(page.locator("#announcer")).to_have_text("Starting…")
    run.dispatch_event("click")
    page.get_by_label("Idea").press("Enter")
    with page.expect_navigation(url="**/runs/*/"):
        release(page, held)
    assert len(held) == 1
    assert Run.objects.count() == 1


def test_a_long_list_is_narrowed_and_enter_takes_the_first(page: Page) -> None:
    opened(page, STYLES, text("Idea"))  # Idea is required, so the list is folded and has a summary
    box = page.get_by_role("searchbox", name="Look: search 31 options")
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
    expect(page.locator("[data-draft-saved]")).to_be_visible()
    page.locator("#p1_file").set_input_files(picture("a.png"))
    expect(page.locator(".file-tile.is-ready")).to_have_count(1)
    expect(page.locator("[data-summary-of=p1]")).to_have_text("1 chosen")
    page.get_by_label("Idea").press_sequentially("!")
    page.reload()
    expect(page.get_by_label("Idea")).to_have_value(" two\nlines  !")
    expect(page.locator(".file-tile.is-ready")).to_contain_text("a.png")
    wait_until(lambda: Draft.objects.get().answers[0].value == " two\nlines  !", "the last words to be kept")


def sign_in_as(page: Page, member: Member) -> None:
    page.get_by_label("Email address").fill(member.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_signed_out_the_page_says_that_nothing_is_saved_and_keeps_the_words(page: Page, alice: Member) -> None:
    opened(page, text("Idea"))
    idea, note = page.get_by_label("Idea"), page.locator("[data-unsaved]")
    sessions.end_all(alice)
    idea.press_sequentially("A red shoe")
    expect(note).to_contain_text("You're signed out, so your draft isn't saved any more.")
    expect(page.locator("[data-draft-saved]")).to_be_hidden()
    expect(idea).to_have_value("A red shoe")

    note.get_by_role("button", name="Sign in").click()
    sign_in_as(page, alice)
    page.get_by_role("button", name="Send it again").click()

    expect(page.get_by_label("Idea")).to_have_value("A red shoe")
    assert Draft.objects.get().answers[0].value == "A red shoe"
    assert not Run.objects.exists()


def test_after_signing_in_in_another_tab_the_draft_is_saved_and_run_works(page: Page, alice: Member) -> None:
    opened(page, text("Idea"))
    idea, note = page.get_by_label("Idea"), page.locator("[data-unsaved]")
    sessions.end_all(alice)
    idea.press_sequentially("A red")
    expect(note).to_be_visible()
    other = page.context.new_page()
    other.goto("/login/")
    sign_in_as(other, alice)
    expect(other.get_by_role("button", name="your menu")).to_be_visible()

    idea.press_sequentially(" shoe")

    expect(page.locator("[data-draft-saved]")).to_be_visible()
    expect(note).to_be_hidden()
    page.locator("[data-run]").click()
    page.wait_for_url("**/runs/*/")
    assert Run.objects.get().inputs.get().value == "A red shoe"


def test_two_tabs_keep_both_drafts_and_offer_a_choice(page: Page) -> None:
    opened(page, text("Idea"))
    other = page.context.new_page()
    other.goto(page.url)
    other.get_by_label("Idea").fill("A blue shoe")
    expect(other.locator("[data-draft-saved]")).to_be_visible()
    idea, note = page.get_by_label("Idea"), page.locator("#newer-draft")
    idea.fill("A red shoe")
    expect(note).to_contain_text("You changed this draft in another tab or on another device")
    expect(idea).to_have_value("A red shoe")
    idea.press_sequentially("!")
    wait_until(lambda: "A red shoe!" in str(Preset.objects.get().answers), "the words of the older tab to be kept")
    assert Draft.objects.get().answers[0].value == "A blue shoe"

    note.get_by_role("button", name="Use this one instead").click()

    expect(page.get_by_text("This is your draft now. The other one is saved as a preset.")).to_be_visible()
    expect(page.get_by_label("Idea")).to_have_value("A red shoe!")
    page.get_by_role("link", name="Draft from").click()
    expect(page.get_by_label("Idea")).to_have_value("A blue shoe")


def test_a_bad_link_is_reported_at_once(page: Page) -> None:
    opened(page, url("Photo", accept=["image"]))
    page.get_by_text("Use a link").click()
    page.locator("[name=p0_link]").fill("shoe.png")
    page.keyboard.press("Enter")
    expect(page.locator("[data-problem]")).to_contain_text("That isn't a web link. A link starts with https://")
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
