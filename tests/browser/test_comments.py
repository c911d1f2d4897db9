"""Comments in a real browser (D10, D11): every way of marking a spot gives the same coordinates, players pause, and
typing suggests names."""

import hashlib
import io
import wave
from collections.abc import Callable

import pytest
from django.utils import timezone
from PIL import Image
from playwright.sync_api import BrowserContext, Locator, Page, expect

from runs.models import Comment, Decision, Member, Output, OutputFile, StoredFile
from runs.review import comments, requests
from runs.review.deciders import Reviewer
from runs.storage import media, store
from tests.support.factories import make_kept, make_run
from tests.support.page_checks import findings
from tests.support.photos import look
from tests.support.processes import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ACROSS, DOWN = 0.3, 0.7  # every way of marking is tried on this spot
NEAR = 50  # in ten-thousandths of the picture's size; this is 0.5 %


def stored(content: bytes, name: str) -> StoredFile:
    path = store.new_waiting_path()
    path.write_bytes(content)
    return store.store(
        store.NewFile(path, media.inspect(path), hashlib.sha256(content).hexdigest(), len(content)), name
    )


def turned_photo() -> StoredFile:
    """Save a 600 by 400 pixel photo with metadata that says to rotate it by 90 degrees, as if the camera had been held
    upright."""
    exif, content = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6
    Image.new("RGB", (600, 400), "#7a9a7a").save(content, "JPEG", exif=exif)
    return stored(content.getvalue(), "photo.jpg")


def sound(seconds: int) -> StoredFile:
    content = io.BytesIO()
    with wave.open(content, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(1)
        written.setframerate(8_000)
        written.writeframes(b"\x80" * 8_000 * seconds)
    return stored(content.getvalue(), "sound.wav")


@pytest.fixture
def output(alice: Member) -> Output:
    """A rotated photo: a result of one of Alice's runs, shared with the team."""
    run = make_run(alice, status="completed", shared_at=timezone.now())
    make_kept(run, turned_photo())
    return run.outputs.all()[0]


def post_button(page: Page) -> Locator:
    return page.get_by_role("button", name="Post comment")


def spot_of(text: str) -> tuple[int | None, int | None]:
    wait_until(lambda: Comment.objects.filter(text=text).exists(), f"the comment “{text}”")
    return Comment.objects.values_list("spot_x", "spot_y").get(text=text)


def click_spot(page: Page, text: str) -> None:
    """Write a comment, and mark a spot by clicking or tapping the picture."""
    page.locator("#text-new").fill(text)
    page.locator("summary", has_text="Mark a spot").click()
    expect(page.locator(".is-picking")).to_be_visible()
    box = page.locator("[data-frame]").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + ACROSS * box["width"], box["y"] + DOWN * box["height"])
    expect(page.locator("#text-new")).to_be_focused()
    post_button(page).click()


@pytest.mark.both
def test_every_way_marks_the_same_spot(
    output: Output, alice: Member, new_context: Callable[..., BrowserContext]
) -> None:
    """Promise D10 (see `tests/review/__init__.py`)."""
    url = output.get_absolute_url()
    wide = new_context(alice, viewport={"width": 1280, "height": 800}).new_page()
    wide.goto(url)
    frame = wide.locator("[data-frame]").bounding_box()
    assert frame is not None
    assert frame["height"] / frame["width"] == pytest.approx(1.5, abs=0.01)  # the photo is shown upright
    click_spot(wide, "by click")
    expect(wide.locator("#dot-1")).to_be_visible()
    expect(wide.locator("#text-new")).to_have_value("")

    wide.get_by_role("button", name="Zoom in").click()
    expect(wide.locator(".is-zoomed")).to_be_visible()
    click_spot(wide, "by click, enlarged")

    wide.reload()
    wide.locator("#text-new").fill("by keyboard")
    for _ in range(2):
        wide.keyboard.press("Tab")
        if wide.evaluate("document.activeElement.tagName") == "SUMMARY":
            break
    wide.keyboard.press("Enter")
    for number in ("30", "70"):
        wide.keyboard.press("Tab")
        wide.keyboard.type(number)
    wide.keyboard.press("Enter")

    doubled = new_context(alice, viewport={"width": 640, "height": 400}, device_scale_factor=2).new_page()
    doubled.goto(url)
    click_spot(doubled, "at 200 %")

    phone = new_context(alice, viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True).new_page()
    phone.goto(url)
    click_spot(phone, "on a phone")

    for width in (320, 1280):
        plain = new_context(alice, viewport={"width": width, "height": 800}, java_script_enabled=False).new_page()
        plain.goto(f"{url}comment/")
        plain.locator("#text-new").fill(f"without scripts, {width}")
        button = plain.locator("input[type=image]:visible")
        box = button.bounding_box()
        assert box is not None
        button.click(position={"x": ACROSS * box["width"], "y": DOWN * box["height"]})
        expect(plain.locator(".comment-text", has_text=f"without scripts, {width}")).to_be_visible()

    ways = ["by click", "by click, enlarged", "by keyboard", "at 200 %", "on a phone"]
    for way in [*ways, "without scripts, 320", "without scripts, 1280"]:
        assert spot_of(way) == pytest.approx((10_000 * ACROSS, 10_000 * DOWN), abs=NEAR), way
    assert Comment.objects.count() == 7
    wide.reload()
    expect(wide.locator("a.pin")).to_have_count(7)
    # although all are on one spot, none is behind another
    assert (
        wide.locator("a.pin").evaluate_all(
            """(pins) => pins.filter((pin) => {
            const { x, y, width, height } = pin.getBoundingClientRect();
            return document.elementFromPoint(x + width / 2, y + height / 2).closest("a") === pin;
        }).length"""
        )
        == 7
    )


@pytest.mark.both
def test_the_player_pauses_while_one_types_and_goes_on(page: Page, alice: Member) -> None:
    """Promise D11 (see `tests/review/__init__.py`)."""
    run = make_run(alice, status="completed")
    output = run.outputs.all()[0]
    OutputFile.objects.create(output=output, source_url="https://x.test/a.wav", status="saved", file=sound(30))
    comments.post(Reviewer(member=alice), run, output, "Too late", at_ms=12_400)
    page.goto(output.get_absolute_url())
    player = page.locator("audio")
    player.evaluate("it => it.readyState || new Promise((done) => it.addEventListener('loadedmetadata', done))")

    page.get_by_role("link", name="Play from 0:12").click()
    wait_until(lambda: player.evaluate("it => it.currentTime") == pytest.approx(12.4, abs=0.1), "the player to seek")
    player.evaluate("it => it.play()")
    page.locator("#text-new").press_sequentially("Here")
    assert player.evaluate("it => it.paused")
    expect(page.locator("#at-new")).not_to_have_value("")
    page.locator("#at-new").fill("abc")
    post_button(page).click()
    expect(page.locator("#at-new")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#text-new")).to_have_value("Here")
    page.locator("#at-new").fill("0:13")
    post_button(page).click()
    expect(page.get_by_role("link", name="Play from 0:13")).to_be_visible()
    wait_until(lambda: not player.evaluate("it => it.paused"), "the player to go on")


def test_comments_by_keyboard(page: Page, alice: Member, bob: Member, output: Output) -> None:
    comments.post(Reviewer(member=bob), output.run, output, "Too dark", spot=(2_000, 2_000))
    page.goto(output.get_absolute_url())
    page.locator("#text-new").press_sequentially("Thanks @bo")
    expect(page.get_by_role("option", name="Bob")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#text-new")).to_have_value("Thanks @Bob ")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".mention")).to_have_text("@Bob")
    expect(page.locator("#announcer")).to_have_text("Your comment was posted.")

    page.get_by_role("link", name="Reply Too dark").focus()
    page.keyboard.press("Enter")
    reply = page.get_by_label("Your reply")
    expect(reply).to_be_focused()
    page.locator("#text-new").fill("half a thought")
    reply.fill("Better?")
    reply.press("Control+Enter")
    expect(page.locator(".replies .comment-text")).to_have_text("Better?")
    expect(page.locator("#text-new")).to_have_value("half a thought")

    page.locator("#dot-1").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".thread").first).to_be_focused()
    for width, height, scheme in [(1280, 800, "light"), (320, 640, "dark")]:
        look(page, width, height, scheme)
        assert findings(page) == []

    look(page, 1280, 800, "light")
    page.get_by_role("button", name="Resolve Too dark").click()
    expect(page.locator("details.is-resolved")).to_contain_text("Resolved by Alice")
    page.get_by_role("link", name="Remove Thanks @Bob").click()
    page.get_by_role("button", name="Remove comment").click()
    expect(page.locator(".comment-gone")).to_be_visible()
    assert findings(page) == []


def test_comments_are_carried_over_and_a_reviewer_adds_one(
    output: Output, alice: Member, new_context: Callable[..., BrowserContext], make_member: Callable[..., Member]
) -> None:
    sam = make_member("samuel", role="approver")
    newer = make_run(alice, output.run.app, status="completed", shared_at=timezone.now())
    make_kept(newer, turned_photo())
    Output.objects.filter(run=newer, position=0).update(line=output, number=2)
    second = newer.outputs.all()[0]
    for text in ("Too dark", "Too cold"):
        comments.post(Reviewer(member=sam), output.run, output, text, spot=(2_000, 5_000))
    requests.ask(alice, [second])
    page = new_context(sam, viewport={"width": 1280, "height": 800}).new_page()
    page.goto(f"/review/?at={second.public_id}")
    fold = page.locator("#comments-older")
    fold.locator("summary").first.click()
    page.get_by_role("button", name="Carry over to version 2 Too dark").click()
    expect(page.locator("#dot-1")).to_be_visible()
    expect(page.locator("#comments-list > .threads .comment-text")).to_have_text("Too dark")
    expect(fold.locator(".comment-text")).to_have_text("Too cold")
    expect(fold.locator(".comment-text")).to_be_visible()  # the collapsible section stayed open
    assert findings(page) == []

    page.locator("#text-new").fill("a fine one")  # shortcut keys for verdicts do nothing while someone is typing
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("#text-new")).to_be_focused()
    expect(page.locator("#decide-hint")).to_have_text("Post your comment first, or clear it.")
    page.locator("#text-new").fill("")
    click_spot(page, "a finer one")
    expect(page.locator("#dot-2")).to_be_visible()
    expect(page.locator("#text-new")).to_have_value("")
    assert not Decision.objects.exists()
    page.get_by_role("button", name="Approve").click()
    wait_until(Decision.objects.exists, "the decision")
    assert Decision.objects.get().output == second
