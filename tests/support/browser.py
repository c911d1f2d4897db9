"""A real Chromium for the tests that need one: `page` (scripts on) and `plain_page` (scripts off)."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Route,
    WebError,
    expect,
    sync_playwright,
)

from tests.support.clients import client_of
from tests.support.processes import TIMEOUT_SECONDS, wait_until
from tests.support.requirements import skip_or_fail

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

    from runs.models import Member

# The first of these draws no windows, which saves the tests a quarter of their processor time.
NAMES = (
    "chromium-headless-shell",
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
)
# Features to disable: they make each context load two pages for the address bar, which takes longer than most tests.
ADDRESS_BAR = ("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup")
# Chromium uses only the last list of features to disable, so this repeats what Playwright disables on Linux.
PLAYWRIGHT = (
    *("AimEnabled", "AvoidCorsURLLoaderRestartOnRedirect", "AvoidUnnecessaryBeforeUnloadCheckSync"),
    *("DestroyProfileOnBrowserClose", "HttpsFirstBalancedModeAutoEnable", "HttpsUpgrades", "LensOverlay"),
    *("MediaRouter", "NetworkTimeServiceQuerying", "OptimizationHints", "PaintHolding", "PreconnectToSearch"),
    *("ThirdPartyStoragePartitioning",),
)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-extensions",
    # Each page's scripts run only briefly, so compiling them to faster code takes longer than it saves.
    "--js-flags=--no-turbofan --no-maglev",
    f"--disable-features={','.join(PLAYWRIGHT + ADDRESS_BAR)}",
]
TIMEOUT_MS = TIMEOUT_SECONDS * 1000  # for anything that waits for a browser
expect.set_options(timeout=TIMEOUT_MS)


# Chromium's own message about a response the test expects
EXPECTED = re.compile(r"status of (401|403|404|409|410|422)")
# Chromium logs these messages when somebody leaves a page before its fade-in has started. Nothing but the fade-in is
# lost.
HARMLESS = re.compile(r"ViewTransition opt-in disabled|Transition was (skipped|aborted)")


@dataclass
class Problems:
    """What went wrong on pages since the test began, in any window: errors and warnings in the console (also those
    about the content policy), and errors in scripts. `found` must be empty at the end of each browser test."""

    found: list[str] = field(default_factory=list)
    forgiven: list[str] = field(default_factory=list)
    is_blind: bool = False  # true while axe runs, because axe writes styles into the page

    def begin_anew(self) -> None:
        self.found.clear()
        self.forgiven.clear()
        self.is_blind = False

    def watch(self, context: BrowserContext) -> None:
        context.on("console", self._console)
        context.on("weberror", self._error)

    def note(self, problem: str) -> None:
        if not self.is_blind and not any(re.search(pattern, problem) for pattern in self.forgiven):
            self.found.append(problem)

    def forgive(self, pattern: str) -> None:
        """Ignore problems that a test causes on purpose, including those already found."""
        self.forgiven.append(pattern)
        self.found[:] = [problem for problem in self.found if not re.search(pattern, problem)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not EXPECTED.search(message.text):
            self.note(f"console: {message.text}")

    def _error(self, error: WebError) -> None:
        if not HARMLESS.search(str(error.error)):
            self.note(f"script: {error.error}")


@pytest.fixture(scope="session")
def session_problems() -> Problems:
    """The problems of the running test. Tests use `problems`, which fails them if it isn't empty."""
    return Problems()


@pytest.fixture(scope="session")
def new_chromium(session_problems: Problems) -> Iterator[Callable[..., Browser]]:
    """Return a function that starts an installed Chromium or Chrome, which is closed after the session:
    `new_chromium(ignore_default_args=[…])`. All its windows are watched for problems."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        skip_or_fail("No Chromium or Chrome found: install one (Debian: apt-get install chromium)")
    with sync_playwright() as playwright, patient_pages():
        started: list[Browser] = []

        def start(**options: Any) -> Browser:
            chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS, timeout=TIMEOUT_MS, **options)
            chromium.on("context", session_problems.watch)
            started.append(chromium)
            return chromium

        yield start
        for chromium in started:
            chromium.close()


@pytest.fixture(scope="session")
def browser(new_chromium: Callable[..., Browser]) -> Browser:
    """A Chromium, started once per session."""
    return new_chromium()


@pytest.fixture
def new_context(browser: Browser, live_server: "LiveServer") -> Iterator[Callable[..., BrowserContext]]:
    """Return a function that makes a browser context: `new_context(member, java_script_enabled=False, viewport=…)`. The
    context is closed after the test."""
    contexts: list[BrowserContext] = []

    def make(member: "Member | None" = None, **options: object) -> BrowserContext:
        context = browser.new_context(base_url=live_server.url, **options)  # type: ignore[arg-type]
        context.set_default_timeout(TIMEOUT_MS)
        contexts.append(context)
        if member is not None:
            sign_in(context, member, live_server.url)
        return context

    yield make
    for context in contexts:
        context.close()


LISTENING = """() => !window.htmx || import(document.querySelector("script[type=module]").src)
    .then(({ listening }) => listening()).then(() => true)"""


def await_scripts(page: Page) -> None:
    """Wait until all the scripts on the open page, if any, are listening.

    `portal.js` imports them, and the `load` event doesn't wait for that. Opening a page waits for the scripts
    automatically; following a link doesn't.
    """
    page.wait_for_load_state()
    page.wait_for_function(LISTENING)


def wait_for_event(page: Page, condition: Callable[[], bool], what: str) -> None:
    """Wait until `condition` is true. Keeps calling Playwright while waiting, because it only reports events during a
    call."""

    def look() -> bool:
        page.wait_for_timeout(1)
        return condition()

    wait_until(look, what)


def release(page: Page, held: list[Route]) -> None:
    """Wait until a route handler has put a request into `held`, then let that request through."""
    wait_for_event(page, lambda: bool(held), "the request to leave the page")
    held[0].continue_()


@contextmanager
def patient_pages() -> Iterator[None]:
    """Treat pages as open only once their scripts are listening: before that, keys and clicks get lost or bypass the
    scripts. With a `wait_until` other than "load", tests see pages earlier."""

    def patient(open_page: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(open_page)
        def opened(page: Page, *given: Any, **options: Any) -> Any:
            answer = open_page(page, *given, **options)
            if options.get("wait_until", "load") == "load":
                await_scripts(page)
            return answer

        return opened

    with ExitStack() as patches:
        for name in ("goto", "reload", "go_back", "go_forward"):
            patches.enter_context(patch.object(Page, name, patient(getattr(Page, name))))
        yield


def sign_in(context: BrowserContext, member: "Member", url: str) -> None:
    """Give `context` the session cookie of `member`."""
    from django.conf import settings

    cookie = client_of(member).cookies[settings.SESSION_COOKIE_NAME]
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": url}])


@pytest.fixture
def page(new_context: Callable[..., BrowserContext], alice: "Member") -> Page:
    """A page 1280 px wide, with scripts on and Alice signed in."""
    return new_context(alice, viewport={"width": 1280, "height": 800}).new_page()


@pytest.fixture
def plain_page(new_context: Callable[..., BrowserContext], alice: "Member") -> Page:
    """A page 1280 px wide, with scripts off and Alice signed in."""
    return new_context(alice, viewport={"width": 1280, "height": 800}, java_script_enabled=False).new_page()
