"""The result page: viewing by keyboard and mouse, seeking in a video, opening a zip."""

import re
import zipfile

import pytest
from playwright.sync_api import Page, Response, Route, expect

from tests.browser.acts import enlarge
from tests.browser.page_clock import stop_time
from tests.browser.visitors import Gallery, Guests
from tests.support.browser import await_scripts, release, wait_for_event
from tests.support.processes import wait_until

pytestmark = pytest.mark.browser
WIDE = "document.querySelector('[data-frame]').getBoundingClientRect().width"


def opened(page: Page, gallery: Gallery, app: str, name: str) -> None:
    page.goto(f"/runs/{gallery.runs[app]}/")
    page.locator(".output-label", has_text=re.compile(f"^{name}$")).click()
    expect_title(page, name)
    await_scripts(page)


def expect_title(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(words)


def test_a_walk_by_keys(guests: Guests, gallery: Gallery) -> None:
    page = guests(email=gallery.email).page
    opened(page, gallery, "card-twelve", "Output 1")
    # htmx must not copy this style to the next page's field, since the content policy would block it
    enlarge(page.locator("#text-new"))
    for key, title in (("j", "Output 2"), ("ArrowRight", "Output 3"), ("ArrowLeft", "Output 2"), ("k", "Output 1")):
        page.keyboard.press(key)
        expect_title(page, title)
        expect(page).to_have_url(re.compile("/results/"))
    expect(page).to_have_title(re.compile(r"^(\(\d+\) )?Output 1 "))  # starts with "(1) " if there's news for the admin

    fits = page.evaluate(WIDE)
    page.keyboard.press("+")
    wait_until(lambda: page.evaluate(WIDE) == pytest.approx(1.5 * fits, abs=2), "the picture to grow")
    expect(page.locator("[data-scale]")).to_have_text(re.compile(r"\d+ %"))
    page.keyboard.press("ArrowRight")  # now the arrow keys move the picture
    expect_title(page, "Output 1")
    page.keyboard.press("0")
    wait_until(lambda: page.evaluate(WIDE) == pytest.approx(fits, abs=1), "the picture to fit again")

    page.keyboard.press("f")
    expect(page.locator("#file:fullscreen")).to_be_visible()
    page.keyboard.press("j")
    expect(page.locator("#file:fullscreen .stage-place")).to_have_text("2 of 12")
    page.keyboard.press("f")
    expect(page.locator("#file:fullscreen")).to_have_count(0)

    page.get_by_label("Search apps").press_sequentially("jjf")
    expect_title(page, "Output 2")
    enlarge(page.locator("#text-new"))
    page.go_back()
    expect_title(page, "Output 1")
    enlarge(page.locator("#text-new"))
    page.go_forward()
    expect_title(page, "Output 2")


def test_what_arrives_after_going_back_is_dropped(guests: Guests, gallery: Gallery) -> None:
    page = guests(email=gallery.email).page
    stop_time(page)
    opened(page, gallery, "card-twelve", "Output 1")
    page.keyboard.press("j")
    expect_title(page, "Output 2")
    held: list[Route] = []
    page.route(re.compile("/live/frame/"), lambda route: held.append(route))
    page.evaluate("document.querySelector('#bell').dataset.bell = 'old'")  # so that the response must update it
    page.clock.run_for(61_000)
    wait_for_event(page, lambda: bool(held), "the page to ask for news")
    page.go_back()
    expect_title(page, "Output 1")
    with page.expect_response(re.compile("/live/frame/")) as response:
        release(page, held)
    assert "hx-swap-oob" in response.value.text()


def test_a_click_enlarges_where_it_falls_and_nothing_jumps(guests: Guests, gallery: Gallery) -> None:
    page = guests(email=gallery.email).page
    opened(page, gallery, "card-twelve", "Output 1")
    picture = page.locator("[data-frame] img")
    expect(picture).to_have_attribute("src", re.compile("/original"))  # the thumbnail comes first, then the file itself
    bar = page.locator(".stage-bar").bounding_box()

    picture.click(position={"x": 20, "y": 20})
    stage = page.locator("[data-stage]")
    expect(stage).to_have_class(re.compile("is-zoomed"))
    wait_until(lambda: stage.evaluate("it => it.scrollLeft < 60 && it.scrollTop < 60"), "the corner to come into view")
    assert page.locator(".stage-bar").bounding_box() == bar
    box = stage.bounding_box()
    assert box
    page.mouse.move(box["x"] + 300, box["y"] + 300)
    page.mouse.down()
    page.mouse.move(box["x"] + 100, box["y"] + 200, steps=4)
    page.mouse.up()
    wait_until(lambda: stage.evaluate("it => it.scrollLeft") > 150, "the picture to follow")
    expect(stage).to_have_class(re.compile("is-zoomed"))  # a drag isn't a click
    page.keyboard.press("Escape")
    expect(stage).not_to_have_class(re.compile("is-zoomed"))


def test_a_video_seeks(guests: Guests, gallery: Gallery) -> None:
    visitor = guests(email=gallery.email)
    page = visitor.page
    statuses: list[int] = []

    def note(response: Response) -> None:
        if "/original" in response.url:
            statuses.append(response.status)

    page.on("response", note)
    opened(page, gallery, "card-video-thumbnail", "Clip")
    video = page.locator("video")
    video.evaluate("it => it.readyState || new Promise((done) => it.addEventListener('loadedmetadata', done))")

    at = video.evaluate(
        "it => new Promise((done) => { it.currentTime = it.duration * 0.7;"
        " it.addEventListener('seeked', () => done(it.currentTime / it.duration)); })"
    )

    assert at == pytest.approx(0.7, abs=0.05)
    visitor.wait_for(lambda: 206 in statuses, "a part of the file")


def test_a_zip_opens(guests: Guests, gallery: Gallery) -> None:
    page = guests(email=gallery.email).page
    opened(page, gallery, "card-video-thumbnail", "Clip")

    page.locator("#file-more").click()
    with page.expect_download() as begun:
        page.get_by_role("link", name="Zip with details").click()

    assert begun.value.suggested_filename.endswith(".zip")
    with zipfile.ZipFile(begun.value.path()) as archive:
        assert archive.testzip() is None
        assert [name.rpartition(".")[2] for name in archive.namelist()] == ["webm", "csv"]


def test_without_scripts_a_click_opens_the_original(guests: Guests, gallery: Gallery) -> None:
    visitor = guests(email=gallery.email, scripts=False)
    page = visitor.page
    opened(page, gallery, "card-twelve", "Output 1")

    page.get_by_role("link", name=re.compile("^Next: ")).click()
    expect_title(page, "Output 2")
    visitor.watch.problems.is_blind = True  # the browser's built-in page for a bare picture can't run scripts
    page.locator(".frame-link").click()
    expect(page).to_have_url(re.compile("/original"))
