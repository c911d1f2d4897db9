"""Steps for the browser tests: one function for each thing people do or should see."""

import base64
import re
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.browser.apps import CARTOONIFY
from tests.browser.visitors import Visitor
from tests.browser.whole import Whole
from tests.smoke import photo
from tests.support.processes import wait_until

SLOW = "card-slow"
PICTURE = re.compile(r"^/files/\w+/")
RESULT_PATH = re.compile(r"^/results/\w+/")
RUN_PATH = re.compile(r"/runs/(\w+)/$")


def a_run_that_goes_on(whole: Whole, visitor: Visitor) -> str:
    """Start a run that stays in progress on Lamina until the test changes its status."""
    whole.script(SLOW, outcome="never")
    run = str(whole.inside.ask("start", email=visitor.email, remote_id=SLOW))
    whole.move(whole.remote_id(run), "running", ready=0)
    whole.wait_for(run, "running")
    return run


def text_of(letter: EmailMessage) -> str:
    """Return the plain text of an email."""
    part = letter.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def address_in(letter: EmailMessage) -> str:
    """Return the address of the only link in an email."""
    [address] = re.findall(r"http\S+", text_of(letter))
    return str(address)


def sign_in(visitor: Visitor) -> None:
    """Fill in and submit the open sign-in page."""
    page = visitor.page
    page.get_by_label("Email address").fill(visitor.email)
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Sign in").click()


def open_app(visitor: Visitor, remote_id: str = CARTOONIFY, query: str = "", **options: Any) -> str:
    """Open an app's form, passing `options` to Playwright's `goto`; return the form's path."""
    path: str = visitor.whole.inside.ask("app", remote_id=remote_id)["path"]
    visitor.page.goto(path + query, **options)
    return path


def a_photo(name: str = "me.png") -> FilePayload:
    return {"name": name, "mimeType": "image/png", "buffer": photo()}


def photo_on_disk(folder: Path) -> Path:
    """Save a photo in `folder` for uploading; return its path."""
    path = folder / "me.png"
    path.write_bytes(photo())
    return path


def tiles(page: Page) -> Locator:
    """Return a locator for the tiles of the files in the form."""
    return page.locator(".file-tile[data-file]")


def hand_over(target: Locator, kind: str, text: str = "") -> None:
    """Dispatch to `target` the event that a browser fires when somebody drops or pastes something (`kind`): `text` or,
    if it is empty, a photo."""
    target.evaluate(
        """(target, [kind, text, bytes]) => {
            const data = new DataTransfer(), raw = Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0));
            if (text) data.setData("text", text);
            else data.items.add(new File([raw], `${kind}.png`, { type: "image/png" }));
            const init = { bubbles: true, cancelable: true };
            target.dispatchEvent(kind === "drop"
                ? new DragEvent("drop", { ...init, dataTransfer: data })
                : new ClipboardEvent("paste", { ...init, clipboardData: data }));
        }""",
        [kind, text, base64.b64encode(photo()).decode()],
    )


def press_run(page: Page) -> str:
    """Press Run; return the id of the run whose page opens."""
    page.get_by_role("button", name="Run", exact=True).last.click()
    page.wait_for_url(RUN_PATH)
    return run_id(page)


def run_id(page: Page) -> str:
    found = RUN_PATH.search(page.url)
    assert found, page.url
    return found[1]


def expect_state(page: Page, word: str) -> None:
    """Expect `word` in the run page's state line."""
    expect(page.locator("#run-panel .state-chip")).to_have_text(word)


def expect_picture(image: Locator) -> None:
    """Expect `image` to match exactly one picture, and wait until it has loaded."""
    expect(image).to_have_count(1)
    wait_until(lambda: bool(image.evaluate("it => it.complete && it.naturalWidth > 0")), "the picture")


def boxes(page: Page) -> Locator:
    return page.locator("#outputs figure")


def told(page: Page, what: str) -> list[Any]:
    """Return what the watch script recorded on this page under `what`: "said", "shifts" or "titles"."""
    noted: list[Any] = page.evaluate(f"story.{what}")
    return noted


def enlarge(box: Locator) -> None:
    """Make a text field larger by dragging its corner, which gives it a style of its own."""
    box.scroll_into_view_if_needed()
    edge = box.bounding_box()
    assert edge
    corner = (edge["x"] + edge["width"] - 4, edge["y"] + edge["height"] - 4)
    mouse = box.page.mouse
    mouse.move(*corner)
    mouse.down()
    mouse.move(corner[0], corner[1] + 60, steps=2)
    mouse.up()
    expect(box).to_have_attribute("style", re.compile("height"))


def choose(page: Page, *files: FilePayload) -> None:
    """Choose files in the form's first file field."""
    page.locator(".choose input[type=file]").first.set_input_files(list(files))
