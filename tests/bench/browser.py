"""Starts the installed Chromium, for benchmarks of what people see."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from tests.support.browser import ARGUMENTS, NAMES


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium or Chrome for the duration of the block. Raises RuntimeError if neither is installed."""
    windowless, *whole = NAMES
    # Prefer a Chromium that can show windows, because the stored figures were measured with one
    path = next(filter(None, map(shutil.which, (*whole, windowless))), None)
    if path is None:
        raise RuntimeError("no Chromium or Chrome found: install one (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()
