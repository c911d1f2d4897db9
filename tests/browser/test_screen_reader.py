"""What a screen reader finds and announces in the main journey, according to Chromium's accessibility tree.

`reading` returns the tree in reading order, with each element's role and name. Announcements are whatever text appears
in the page's live region; the tree shows that this region really is live.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.acts import a_photo, boxes, choose, expect_state, press_run, tiles, told
from tests.browser.apps import CARTOONIFY
from tests.browser.visitors import Guests
from tests.browser.whole import Whole
from tests.support.browser import await_scripts

pytestmark = pytest.mark.browser
SILENT = {"StaticText", "InlineTextBox", "LineBreak", "generic", "none", "paragraph", "ListMarker", "Ignored"}


def reading(page: Page) -> list[str]:
    """Return everything that has a role, in reading order: "heading Cartoonify!", "radio Ghibli"."""
    session = page.context.new_cdp_session(page)
    nodes = {node["nodeId"]: node for node in session.send("Accessibility.getFullAXTree")["nodes"]}
    session.detach()
    return list(_read(nodes, next(iter(nodes.values()))))


def _read(nodes: dict[str, Any], node: dict[str, Any]) -> Iterator[str]:
    role, name = (str(node.get(part, {}).get("value", "")) for part in ("role", "name"))
    live = next((p["value"]["value"] for p in node.get("properties", []) if p["name"] == "live"), "")
    if not node["ignored"] and role not in SILENT:
        yield " ".join(filter(None, [role, f"({live})" if live else "", " ".join(name.split())]))
    for child in node.get("childIds", []):
        if child in nodes:
            yield from _read(nodes, nodes[child])


def expect_in_order(found: list[str], *wanted: str) -> None:
    """Expect each pattern to match a line, in this order; there may be other lines in between."""
    lines = iter(found)
    for pattern in wanted:
        assert any(re.fullmatch(pattern, line) for line in lines), f"no {pattern!r} in its place:\n" + "\n".join(found)


def unnamed(found: list[str]) -> list[str]:
    """Return the controls and pictures that have no name."""
    return [line for line in found if line in ("link", "button", "textbox", "searchbox", "radio", "checkbox", "image")]


def test_one_finds_an_app_fills_it_in_and_hears_the_run_end(guests: Guests, whole: Whole) -> None:
    visitor = guests(hasty=True)
    page = visitor.page
    whole.wait_for(whole.inside.ask("start", email=visitor.email, remote_id="card-instant"), "ready")
    whole.inside.ask("look", email=visitor.email)  # so that page titles don't count this run as news

    page.goto("/")
    found = reading(page)
    expect_in_order(
        found,
        "RootWebArea Home · Lamina Portal",
        "link Skip to content",
        "banner",
        "link Lamina Portal, home",
        "navigation Main",
        "link Home",
        "button Your menu .*",
        "main",
        "heading Home",
        "searchbox What do you need\\?",
        "heading Latest results",
        "link .+",
        r"status \(polite\)",
    )
    assert unnamed(found) == []

    page.get_by_label("What do you need?").press_sequentially("cartoon")
    # the announcement of Lamina's own search results may replace this one right away
    visitor.wait_for(lambda: any(words.strip() == "1 app" for words in told(page, "said")), "the app to be announced")
    page.get_by_role("link", name="Cartoonify!", exact=True).click()
    page.locator("#app-form").wait_for()
    choose(page, a_photo())
    expect(tiles(page)).to_have_count(1)
    visitor.wait_for(lambda: any("me.png" in words for words in told(page, "said")), "the file to be announced")
    page.get_by_role("radio", name="Ghibli").check()
    found = reading(page)
    expect_in_order(
        found,
        "main",
        "heading Cartoonify!",
        "(radiogroup|group) .*Style.*",
        "radio Ghibli",
        "(group .*|list|listitem .*|button .*me\\.png.*)",
        "button Run",
    )
    assert unnamed(found) == []

    whole.script(CARTOONIFY, outcome="never")
    run = press_run(page)
    found = reading(page)
    expect_in_order(found, "main", "heading .+", "progressbar Results ready", "heading Results", "heading Inputs")
    whole.move(whole.remote_id(run), "completed", ready=2)
    expect_state(page, "Ready")
    expect(boxes(page).locator("img")).to_have_count(2)
    visitor.wait_for(lambda: any("ready" in words.lower() for words in told(page, "said")), "the end to be announced")
    found = reading(page)
    expect_in_order(
        found,
        "main",
        "heading .+",
        "heading Results",
        "figure",
        "link .+",
        "image .+",
        "heading Inputs",
        "heading Timeline and comments",
    )
    assert unnamed(found) == []


def test_one_opens_a_result_and_shares_it_and_the_guest_sees_it(guests: Guests, whole: Whole) -> None:
    visitor = guests(permissions=["clipboard-write"])
    page = visitor.page
    run = whole.inside.ask("start", email=visitor.email, remote_id=CARTOONIFY, Style="Ghibli")
    whole.wait_for(run, "ready")
    page.goto(f"/runs/{run}/")
    boxes(page).first.get_by_role("link").first.click()
    page.locator("[data-viewer]").wait_for()
    await_scripts(page)
    found = reading(page)
    expect_in_order(
        found, "main", "image .+", "heading .+", "link Download", "button Share", "heading Where it came from"
    )
    assert unnamed(found) == []

    page.get_by_role("button", name="Share", exact=True).click()
    page.get_by_role("button", name="Guest link").click()
    link = page.locator(".share-link.is-fresh")
    expect(link.locator("[data-copy]")).to_be_focused()
    visitor.wait_for(lambda: "Link created and copied." in told(page, "said"), "the link to be announced")
    path = "/s/" + str(link.locator("code").text_content()).strip().partition("/s/")[2]

    guest = guests("kim", signed_in=False, scripts=False)
    guest.page.goto(path)
    found = reading(guest.page)
    expect_in_order(found, "RootWebArea .+", "main", "heading .+", "image .+", "contentinfo", "link Accessibility")
    assert unnamed(found) == []
