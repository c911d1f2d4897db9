"""Members with their own browsers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.apps import CARTOONIFY
from tests.browser.watch import Watch
from tests.browser.whole import Whole
from tests.support.browser import TIMEOUT_MS, wait_for_event

PHONE = "Mozilla/5.0 (Linux; Android 16; Pixel 10) AppleWebKit/537.36 Chrome/148.0 Mobile Safari/537.36"
# Speeds up polling in tests that aren't about its pace.
HASTE = """
const wait = window.setTimeout;
window.setTimeout = (act, after, ...rest) => wait(act, after === 2500 || after === 1000 ? 400 : after, ...rest);
"""


@dataclass
class Gallery:
    """An admin with a history: `runs` maps Lamina's app ids to finished runs. Older runs fill more pages."""

    email: str
    runs: dict[str, str]


FINISHED = {
    CARTOONIFY: {"Style": "Ghibli"},
    "card-half-fails": {},
    "card-always-fails": {},
    "sandbox-caption": {},
    "card-video-thumbnail": {},
    "card-unknown-output": {},
    "card-hostile-text": {},
    "card-long-text": {},
    "card-long-names": {},
    "card-rtl": {},
    "card-emoji": {},
    "card-twelve": {},
    "card-value-list": {},
}


@dataclass
class Visitor:
    """A member with their own browser."""

    email: str
    page: Page
    watch: Watch
    whole: Whole

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for something the watch will see."""
        wait_for_event(self.page, condition, what)

    def another_browser(self, browser: Browser) -> BrowserContext:
        """Sign the same member in on another browser, which the caller closes."""
        context = browser.new_context(base_url=self.whole.url)
        context.set_default_timeout(TIMEOUT_MS)
        give_session(context, self.whole, self.email)
        return context


class Guests:
    """Makes visitors: `guests("ann", width=320, scripts=False)`. With `hasty`, pages poll more often.

    Each visitor is a new member, unless `email` names an existing one.
    """

    def __init__(self, browser: Browser, whole: Whole) -> None:
        self.browser = browser
        self.whole = whole
        self.visitors: list[Visitor] = []

    def __call__(
        self,
        name: str = "ann",
        *,
        role: str = "maker",
        width: int = 1280,
        scripts: bool = True,
        signed_in: bool = True,
        hasty: bool = False,
        email: str = "",
        **options: Any,
    ) -> Visitor:
        height = 800 if width > 600 else 640
        context = self.browser.new_context(
            base_url=self.whole.url,
            viewport={"width": width, "height": height},
            java_script_enabled=scripts,
            **options,
        )
        context.set_default_timeout(TIMEOUT_MS)
        watch = Watch(self.whole.url)
        watch.over(context)
        if hasty:
            context.add_init_script(HASTE)
        email = email or self.whole.inside.ask("member", name=name, role=role)["email"]
        if signed_in:
            give_session(context, self.whole, email)
        visitor = Visitor(email, context.new_page(), watch, self.whole)
        self.visitors.append(visitor)
        return visitor


def give_session(context: BrowserContext, whole: Whole, email: str) -> None:
    """Sign the member in without the sign-in page."""
    session = whole.inside.ask("session", email=email)
    context.add_cookies([{"name": "sessionid", "value": session, "url": whole.url}])
