"""Photographs of pages for people who judge how they look: TEST_PHOTOS_DIR says where they go; without it none is made.

TEST_PHOTOS_DIR=/tmp/photos make test ARGS="tests/browser/test_axe.py"
"""

import os
import re
from pathlib import Path
from typing import Literal, cast

from playwright.sync_api import Page

WIDTHS = ((360, 740), (1280, 800))


def look(page: Page, width: int, height: int, scheme: str) -> None:
    """Make the page WIDTH by HEIGHT pixels, SCHEME "light" or "dark"."""
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=cast(Literal["light", "dark"], scheme))


def photograph(page: Page, test: str) -> None:
    """The whole page, narrow and wide, light and dark; named after the running TEST and numbered."""
    if not (folder := os.environ.get("TEST_PHOTOS_DIR")):
        return
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    called = test.rpartition("::")[2].removesuffix(" (call)").removeprefix("test_axe_finds_nothing")
    name = re.sub(r"[^\w-]+", "_", called).strip("_")
    number = len(list(place.glob(f"{name}-*-1280-light.png"))) + 1
    for width, height in WIDTHS:
        for scheme in ("light", "dark"):
            look(page, width, height, scheme)
            page.evaluate("scrollTo(0, 0)")
            path = place / f"{name}-{number}-{width}-{scheme}.png"
            page.screenshot(path=path, full_page=True, animations="disabled")  # no colour between two schemes
    look(page, *WIDTHS[1], "light")
