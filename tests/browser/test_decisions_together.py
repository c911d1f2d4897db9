"""A team and its client decide together (D15), from the first run to the zip of what was approved, by keyboard alone.

Halfway through, everyone switches from a wide window to one as narrow as a phone's, or the other way round, with
scripts and without.
"""

import csv
import io
import re
import zipfile
from datetime import timedelta
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from tests.browser.acts import RUN_PATH, address_in, open_app, run_id, text_of, told
from tests.browser.visitors import Guests, Visitor
from tests.browser.whole import Whole
from tests.support.page_checks import SIDEWAYS

pytestmark = pytest.mark.browser
APP = "sandbox-logo"  # makes four sketches
MOST_TABS = 120
WIDTHS = (1280, 320)


@pytest.mark.parametrize(("width", "scripts"), [(WIDTHS[0], True), (WIDTHS[1], False)])
def test_deciding_together(guests: Guests, whole: Whole, width: int, scripts: bool) -> None:
    look: dict[str, Any] = {"width": width, "scripts": scripts, "reduced_motion": "reduce"}
    maker = guests("mara", hasty=True, **look)
    sam = guests(f"sam{token_hex(3)}", role="approver", **look)
    client = guests("kim", signed_in=False, **look)
    run = make_sketches(maker)
    whole.inside.ask("close_requests")
    ask(maker, run, whom=sam)
    open_the_email(sam, run)
    link = ask_client(maker, run)
    answer_as_client(client, link)
    decide_the_rest(sam, scripts=scripts)
    make_the_next_version(maker, run)
    approve_version_2(sam, scripts=scripts)
    expect_approved_files(maker, run, name_of(sam))
    expect_told(maker, name_of(sam))


def turn(page: Page) -> None:
    """Switch from the wide window to the narrow one, or back."""
    assert page.viewport_size
    page.set_viewport_size({"width": sum(WIDTHS) - page.viewport_size["width"], "height": 720})


def name_of(visitor: Visitor) -> str:
    return visitor.email.partition("-")[0].title()


def reach(page: Page, target: Locator) -> Locator:
    """Press Tab until `target` has the focus; return it."""
    expect(target).to_have_count(1)
    for _ in range(MOST_TABS):
        if target.evaluate("it => it === document.activeElement"):
            return target
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab doesn't lead to {target}")


def press(page: Page, target: Locator, key: str = "Enter") -> None:
    """Reach `target` by Tab alone and press `key` on it."""
    reach(page, target)
    page.keyboard.press(key)


def make_sketches(maker: Visitor) -> str:
    """Run the app; return the run's id once all its results are saved."""
    page = maker.page
    open_app(maker, APP)
    reach(page, page.get_by_label("Brand name"))
    page.keyboard.type("Half Moon")
    press(page, page.get_by_role("button", name="Run", exact=True).last)
    page.wait_for_url(RUN_PATH)
    run = run_id(page)
    maker.whole.wait_for(run, "ready")
    page.goto(f"/runs/{run}/")
    return run


def open_form(page: Page, run: str) -> None:
    """Open the form that asks for decisions on the run, from the run's page."""
    page.goto(f"/runs/{run}/")
    if (more := page.locator("#run-more")).is_visible():
        press(page, more)
    opens = page.get_by_role("button", name="Ask for a decision", exact=True)  # without scripts: a link to the page
    opens.or_(page.get_by_role("link", name="Ask for a decision")).press("Enter")
    expect(page.get_by_role("heading", name="Ask for a decision")).to_be_visible()
    if (sheet := page.get_by_role("dialog", name="Ask for a decision")).is_visible():
        expect(sheet.get_by_role("heading")).to_be_focused()
    assert page.evaluate(SIDEWAYS) == ""


def ask(maker: Visitor, run: str, whom: Visitor) -> None:
    """Ask an approver by name and set a due date, so that the approver's queue starts with these results. This also
    shares the run."""
    page = maker.page
    open_form(page, run)
    page.get_by_role("radio", name="Specific people").press("Space")
    page.get_by_role("checkbox", name=name_of(whom)).press("Space")
    page.get_by_label("Message").fill("For the sign above the door")
    page.get_by_label("Decide by").fill(f"{timezone.localdate() + timedelta(days=1)}")
    press(page, page.get_by_role("button", name="Ask and share"))
    expect(page.get_by_text("You asked for decisions on 4 results.")).to_be_visible()


def open_the_email(sam: Visitor, run: str) -> None:
    """Follow the link in the email that asks for decisions, and expect it to lead to the results."""
    letter = sam.whole.letter_to(sam.email)
    assert letter["Subject"].startswith("Mara is asking for your decision on 4 results from ")
    sam.page.goto(address_in(letter))
    expect(sam.page.get_by_text("For the sign above the door").first).to_be_visible()


def ask_client(maker: Visitor, run: str) -> str:
    """Ask a client for decisions through a guest link that also lets them comment; return the link's path."""
    page = maker.page
    open_form(page, run)
    page.get_by_role("radio", name="A client, via guest link").press("Space")
    page.get_by_label("Who it's for").fill("Kim at Half Moon")
    press(page, page.get_by_role("button", name="Ask", exact=True))
    expect(page.get_by_text("Done. Copy the address and send it to your client.")).to_be_visible()
    path = urlsplit(page.locator(".share-address code").first.text_content() or "").path
    press(page, page.get_by_role("checkbox", name="Let guests comment"), "Space")
    press(page, page.get_by_role("button", name="Save"))
    expect(page.get_by_text("Saved.")).to_be_visible()
    return path


def answer_as_client(client: Visitor, link: str) -> None:
    """Comment on a spot on the second sketch, entering its position in percent, then ask for changes to the sketch."""
    page = client.page
    page.goto(link)
    box = page.locator("#r2")
    reach(page, box.get_by_label("Note or comment"))
    page.keyboard.type("This line is too thin")
    press(page, box.get_by_role("button", name="Mark a spot"))
    press(page, page.get_by_text("Or enter the position"))
    reach(page, page.get_by_label("% from the left"))
    page.keyboard.type("40")
    reach(page, page.get_by_label("% from the top"))
    page.keyboard.type("60")
    press(page, page.get_by_role("button", name="Send comment"))
    expect(page.get_by_label("Your name")).to_be_focused()
    page.keyboard.type("Kim")
    page.keyboard.press("Enter")
    expect(box.get_by_role("status")).to_contain_text("Thank you, Kim")
    turn(page)
    assert page.evaluate(SIDEWAYS) == ""
    reach(page, box.get_by_label("Note or comment"))
    page.keyboard.type("A thicker line, please")
    press(page, box.get_by_role("button", name="Needs changes"))
    expect(box).to_contain_text("You asked for changes")
    assert page.evaluate(SIDEWAYS) == ""


def expect_shown(page: Page, title: str, place: str) -> None:
    """Expect the queue to show this result."""
    expect(page.locator("#file-title")).to_contain_text(title)
    expect(page.locator(".stage-place")).to_have_text(place)


def decide(page: Page, verdict: str, *, scripts: bool, note: str = "") -> None:
    """Give a verdict in the queue by pressing its key or, without scripts, by tabbing to its button."""
    if not scripts:
        if note:
            reach(page, page.get_by_label("Note"))
            page.keyboard.type(note)
        press(page, page.get_by_role("button", name=verdict))
        return
    before = page.locator("#file-title").text_content() or ""
    page.keyboard.press({"Approve": "a", "Reject": "x"}[verdict])
    if note:
        expect(page.get_by_label("Note")).to_be_focused()
        page.keyboard.type(note)
        page.keyboard.press("Enter")
    expect(page.locator("#file-title")).not_to_have_text(before.strip())
    expect(page.locator("#file-title")).to_be_focused()


def decide_the_rest(sam: Visitor, *, scripts: bool) -> None:
    """Approve two sketches, reject one, and skip the one that needs changes, because its next version hasn't been made
    yet."""
    page = sam.page
    page.goto("/review/")
    expect_shown(page, "Sketch 1", "1 of 4")
    decide(page, "Approve", scripts=scripts)
    turn(page)
    expect_shown(page, "Sketch 2", "1 of 3")
    expect(page.get_by_role("list", name="Decisions so far")).to_contain_text("A thicker line, please")
    if scripts:
        page.keyboard.press("j")
    else:
        press(page, page.get_by_role("link", name="Next result"))
    expect_shown(page, "Sketch 3", "2 of 3")
    decide(page, "Reject", scripts=scripts, note="Too much like a bank")
    expect_shown(page, "Sketch 4", "2 of 2")
    decide(page, "Approve", scripts=scripts)
    expect_shown(page, "Sketch 2", "1 of 1")
    assert page.evaluate(SIDEWAYS) == ""
    if scripts:  # each verdict is announced once
        expect(page.locator("#announcer")).to_have_text("Approved: Sketch 4. 1 left.")
        verdicts = [words for words in told(page, "said") if words.startswith(("Approved", "Rejected"))]
        assert verdicts == ["Approved: Sketch 1. 3 left.", "Rejected: Sketch 3. 2 left.", "Approved: Sketch 4. 1 left."]


def make_the_next_version(maker: Visitor, run: str) -> str:
    """Make version 2 of the sketch that needs changes, with the client's words in view; return its run's id."""
    page = maker.page
    turn(page)
    page.goto(f"/runs/{run}/")
    sketch = page.locator("#outputs figure").nth(1)
    expect(sketch).to_contain_text("Needs changes")
    expect(sketch).to_contain_text("A thicker line, please")
    press(page, page.get_by_role("link", name="Make the next version"))
    words = page.get_by_role("region", name="Making version 2 of Sketch 2")
    expect(words).to_contain_text("A thicker line, please")
    expect(words).to_contain_text("This line is too thin")
    expect(page.get_by_label("Brand name")).to_have_value("Half Moon")
    press(page, page.get_by_role("button", name="Run", exact=True).last)
    page.wait_for_url(lambda url: bool(RUN_PATH.search(url)) and run not in url)
    made = run_id(page)
    maker.whole.wait_for(made, "ready")
    # otherwise, the page would reload in the middle of the next steps
    expect(page.locator("noscript meta[http-equiv=refresh]")).to_have_count(0)
    assert len(maker.whole.inside.ask("results", run=made)) == 1
    assert page.evaluate(SIDEWAYS) == ""
    return made


def approve_version_2(sam: Visitor, *, scripts: bool) -> None:
    page = sam.page
    page.goto("/review/")
    expect_shown(page, "Sketch 2 version 2", "1 of 1")
    decide(page, "Approve", scripts=scripts)
    expect(page.get_by_role("heading", name="Nothing is waiting for you.")).to_be_visible()


def expect_approved_files(maker: Visitor, run: str, sam: str) -> None:
    """Expect the zip of the run's approved results to contain version 2 of the changed sketch instead of version 1, and
    the CSV file in it to list their decisions."""
    page = maker.page
    page.goto(f"/runs/{run}/")
    if (more := page.locator("#run-more")).is_visible():
        press(page, more)
    with page.expect_download() as begun:
        page.get_by_role("link", name="Download approved").press("Enter")
    with zipfile.ZipFile(begun.value.path()) as archive:
        names = set(archive.namelist())
        [sheet] = [name for name in names if name.endswith(".csv")]
        text = archive.read(sheet).decode("utf-8-sig")
        files = names - {sheet}
        assert all(archive.read(name) for name in files)
    assert len(files) == 3, files
    stem = re.compile(r"logo-sketches[\w-]*_sketch-([124])_\d{4}-\d\d-\d\d\.\w+")
    numbers = {name: match[1] for name in files if (match := stem.fullmatch(name))}
    assert sorted(numbers.values()) == ["1", "2", "4"], files
    told_of = csv.DictReader(io.StringIO(text))
    rows = {row["File"]: (row["Result"], row["Decision"], row["Decided by"]) for row in told_of}
    assert rows == {name: (f"Sketch {numbers[name]}", "Approved", f"{sam}: Approved") for name in files}


def expect_told(maker: Visitor, sam: str) -> None:
    """Expect the maker's inbox to list each event once, and expect an email about the events not yet read in the
    portal."""
    page = maker.page
    page.goto("/inbox/")
    lines = page.locator(".inbox-title")
    done = ["approved “Sketch 1”", "rejected “Sketch 3”", "approved “Sketch 4”", "approved “Sketch 2”"]
    said = ["commented on “Sketch 2”", "asked for changes to “Sketch 2”"]
    for words in [*(f"{sam} {act}" for act in done), *(f"Kim (guest) {act}" for act in said)]:
        expect(lines.filter(has_text=words)).to_have_count(1)
    expect(lines.filter(has_text="is ready")).to_have_count(2)  # one line for each run
    expect(lines).to_have_count(8)
    assert page.evaluate(SIDEWAYS) == ""
    assert "Kim (guest)" in text_of(maker.whole.letter_to(maker.email))
