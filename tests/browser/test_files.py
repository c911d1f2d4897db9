"""Adding files to a form: chosen, dropped, pasted or linked, shown while uploading, or refused with a reason."""

import re

import pytest
from playwright.sync_api import FilePayload, Page, Request, Route, expect

from tests.browser.acts import RUN_PATH, a_photo, choose, expect_picture, hand_over, open_app, tiles, told
from tests.browser.apps import CARTOONIFY
from tests.browser.visitors import Guests
from tests.browser.whole import Whole
from tests.support.processes import wait_until

pytestmark = pytest.mark.browser


def expect_file(page: Page, name: str) -> None:
    """Expect one tile, with the file's name and picture."""
    try:
        expect(tiles(page)).to_have_count(1)
    except AssertionError as error:
        raise AssertionError(f"{error}\nThe field: {page.locator('.upload').first.inner_text()}") from None
    expect(tiles(page)).to_contain_text(name)
    expect_picture(tiles(page).locator("img"))


def sample_url(whole: Whole) -> str:
    """Return the address of the sample picture that the app's author provided; it is on Lamina itself."""
    parameters = whole.inside.ask("app", remote_id=CARTOONIFY)["parameters"]
    return str(next(parameter["default"] for parameter in parameters if parameter["type"] == "url"))


def stem(url: str) -> str:
    """Return the file name in `url` without its extension, because the portal bases the extension on the file's
    content."""
    return url.rpartition("/")[2].rpartition(".")[0]


def hold_uploads(page: Page) -> list[Route]:
    """From now on, hold back all uploads until the test releases them."""
    held: list[Route] = []
    page.route("**/uploads/?app=*", lambda route: held.append(route))
    return held


@pytest.mark.parametrize("way", ["chosen", "drop", "paste", "link"])
def test_a_file_comes_in_every_way_and_survives_a_reload(guests: Guests, whole: Whole, way: str) -> None:
    visitor = guests()
    page = visitor.page
    open_app(visitor)
    name = f"{way}.png"
    if way == "chosen":
        choose(page, a_photo(name))
    elif way == "link":
        url = sample_url(whole)
        name = stem(url)
        page.get_by_text("Use a link").click()
        page.get_by_placeholder("https://").fill(url)
        page.get_by_role("button", name="Use link").click()
    else:
        hand_over(page.locator(".upload"), way)
    expect_file(page, name)
    wait_until(lambda: any(words.endswith("added.") for words in told(page, "said")), "the words about it")
    expect(page.locator("[data-draft-saved]")).to_be_visible()
    page.reload()
    expect_file(page, name)


def test_a_file_chosen_before_the_script_arrives_is_uploaded(guests: Guests) -> None:
    visitor = guests()
    page = visitor.page
    held: list[Route] = []
    page.route("**/app_form*.js", lambda route: held.append(route))
    open_app(visitor, wait_until="domcontentloaded")
    choose(page, a_photo("early.png"))
    visitor.wait_for(lambda: bool(held), "the script to be requested")
    for route in held:
        route.continue_()
    expect_file(page, "early.png")


def test_a_link_can_be_dropped_and_pasted_too(guests: Guests, whole: Whole) -> None:
    visitor = guests()
    page = visitor.page
    open_app(visitor)
    hand_over(page.locator(".upload"), "drop", sample_url(whole))
    expect_file(page, stem(sample_url(whole)))


def test_run_waits_for_a_file_on_its_way_and_then_starts_by_itself(guests: Guests) -> None:
    visitor = guests()
    page = visitor.page
    open_app(visitor)
    held = hold_uploads(page)
    page.get_by_role("radio", name="Ghibli").check()
    choose(page, a_photo())
    sending = page.locator(".file-tile.is-sending")
    expect(sending.get_by_role("progressbar", name="Sent")).to_be_visible()
    expect(sending).to_contain_text("me.png")
    expect(sending.locator("img")).to_have_attribute("src", re.compile("^blob:"))
    page.locator(".launch-run").click()
    expect(page.locator(".launch-run")).to_have_text(re.compile(r"^Waiting for uploads… \d+%$"))
    visitor.wait_for(lambda: len(held) == 1, "the upload to leave the page")
    held[0].continue_()
    page.wait_for_url(RUN_PATH)
    expect(page.locator(".went-in").get_by_alt_text("me.png")).to_be_visible()


def test_a_preset_waits_for_its_files(guests: Guests) -> None:
    visitor = guests()
    page = visitor.page
    open_app(visitor)
    held = hold_uploads(page)
    choose(page, a_photo())
    button = page.get_by_role("button", name="Save as preset")

    button.click()

    expect(page.get_by_role("button", name=re.compile(r"^Waiting for uploads… \d+%$"))).to_be_visible()
    expect(page.locator(".launch-run")).to_have_text("Run")
    visitor.wait_for(lambda: len(held) == 1, "the upload to leave the page")
    held[0].continue_()
    page.wait_for_url("**/presets/new/**")
    expect(page.get_by_alt_text("me.png")).to_be_visible()


def test_a_draft_on_its_way_cannot_overtake_a_preset(guests: Guests) -> None:
    visitor = guests()
    page = visitor.page
    open_app(visitor)
    held: list[Route] = []
    page.route("**/drafts/*/", lambda route: held.append(route))
    told: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST" and "/apps/" in request.url:
            told.append("sent")

    page.on("request", note)
    choose(page, a_photo())
    expect_file(page, "me.png")
    visitor.wait_for(lambda: bool(held), "the draft to leave the page")

    page.get_by_role("button", name="Save as preset").click()
    expect(page.locator("[data-draft-saved]")).to_be_hidden()  # gives the request time to be sent, if it doesn't wait
    told.append("the draft is saved")
    for route in held:
        route.continue_()

    page.wait_for_url("**/presets/new/**")
    assert told == ["the draft is saved", "sent"]
    expect(page.get_by_alt_text("me.png")).to_be_visible()


def test_a_lost_connection_is_told_and_run_is_free_again(guests: Guests) -> None:
    visitor = guests()
    page = visitor.page
    open_app(visitor)
    page.route("**/uploads/?app=*", lambda route: route.abort())
    choose(page, a_photo())
    expect(page.locator(".file-tile")).to_contain_text("The upload failed.")
    page.get_by_role("button", name="Remove").click()
    expect(page.locator(".file-tile")).to_have_count(0)
    expect(page.locator(".launch-run")).to_have_text("Run")
    visitor.watch.problems.forgive(r"net::ERR_FAILED|console: htmx:")


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"words" * 99}, "that file is something else"),
        ({"name": "broken.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n" + b"0" * 99}, "picture"),
        ({"name": "empty.png", "mimeType": "image/png", "buffer": b""}, "empty"),
    ],
    ids=["wrong kind", "broken", "empty"],
)
def test_an_unusable_file_is_refused_with_a_reason(guests: Guests, file: FilePayload, sentence: str) -> None:
    visitor = guests()
    page = visitor.page
    open_app(visitor)
    choose(page, file)
    expect(page.locator(".upload").get_by_role("alert").filter(has_text=sentence)).to_be_visible()
    expect(tiles(page)).to_have_count(0)


def test_a_bad_link_is_refused_beside_the_field(guests: Guests) -> None:
    visitor = guests()
    page = visitor.page
    open_app(visitor)
    page.get_by_text("Use a link").click()
    box = page.get_by_placeholder("https://")
    expect(box).to_have_accessible_description("Links must start with https:// or www. and point directly to the file.")
    box.fill("my picture")
    box.press("Enter")
    expect(page.locator("[data-problem]")).to_have_text("That isn't a web link. A link starts with https:// or www.")
    box.fill("http://example.com/shoe.png")
    box.press("Enter")
    refused = page.locator(".upload-error [role=alert]")
    expect(refused).to_have_text("Only links that start with https:// or www. can be opened.")
    box.fill("www.nothing.invalid/shoe.png")
    box.press("Enter")
    expect(page.locator(".file-tile")).to_contain_text("We couldn't reach the server that hosts this file.")


def test_several_files_keep_their_order_can_be_moved_and_removed(guests: Guests) -> None:
    visitor = guests()
    page = visitor.page
    open_app(visitor, "card-many-pictures")
    box = page.locator(".upload.is-multiple").first
    box.locator("input[type=file]").set_input_files([a_photo("one.png"), a_photo("two.png"), a_photo("three.png")])
    here = box.locator(".file-tile[data-file]")
    expect(here).to_have_count(3)
    listed = box.locator(".file-name")
    order = listed.all_inner_texts()
    here.nth(1).get_by_role("button", name="earlier").click()
    expect(listed).to_have_text([order[1], order[0], order[2]])
    here.nth(1).get_by_role("button", name="Remove").click()
    expect(here).to_have_count(2)
    here.nth(0).get_by_role("button", name="later").click()
    expect(page.locator("[data-draft-saved]")).to_be_visible()
    page.reload()
    expect(listed).to_have_text([order[2], order[1]])
