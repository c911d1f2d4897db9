"""Screenshots of pages, for judging how they look. They are saved in TEST_PHOTOS_DIR; if that isn't set, none are
taken.

TEST_PHOTOS_DIR=/tmp/photos make test-all ARGS="tests/browser/test_axe.py"
"""

import os
import re
from pathlib import Path
from typing import Literal, cast

from playwright.sync_api import Page

WIDTHS = ((360, 740), (1280, 800))


def look(page: Page, width: int, height: int, scheme: str) -> None:
    """Set the page's size to `width` by `height` pixels, and its colour scheme to "light" or "dark"."""
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=cast(Literal["light", "dark"], scheme))


def photograph(page: Page, test: str) -> None:
    """Take screenshots of the whole page, narrow and wide, light and dark, numbered and named after `test`."""
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
            page.screenshot(path=path, full_page=True, animations="disabled")  # no half-finished transitions
    look(page, *WIDTHS[1], "light")
