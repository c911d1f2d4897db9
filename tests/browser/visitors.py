"""Members with their own browsers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.apps import CARTOONIFY
from tests.browser.watch import Watch
from tests.browser.whole import Whole
from tests.support.browser import TIMEOUT_MS, Problems, wait_for_event

PHONE = "Mozilla/5.0 (Linux; Android 16; Pixel 10) AppleWebKit/537.36 Chrome/148.0 Mobile Safari/537.36"
# Speeds up polling in tests that aren't about how often pages poll.
HASTE = """
const wait = window.setTimeout;
window.setTimeout = (act, after, ...rest) => wait(act, after === 2500 || after === 1000 ? 400 : after, ...rest);
"""


@dataclass
class Gallery:
    """An admin with a history: `runs` maps Lamina's app ids to the ids of finished runs. Older runs, not in `runs`,
    fill further pages of History."""

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
    "card-value-object": {},
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
        """Wait until `condition`, which depends on what the watch records, is true."""
        wait_for_event(self.page, condition, what)

    def another_browser(self, browser: Browser) -> BrowserContext:
        """Return another browser context in which the same member is signed in; the caller must close it."""
        context = browser.new_context(base_url=self.whole.url)
        context.set_default_timeout(TIMEOUT_MS)
        give_session(context, self.whole, self.email)
        return context


class Guests:
    """Makes visitors: `guests("ann", width=320, scripts=False)`. With `hasty`, pages poll more often.

    Each visitor is a new member, unless `email` names an existing one.
    """

    def __init__(self, browser: Browser, whole: Whole, problems: Problems) -> None:
        self.browser = browser
        self.whole = whole
        self.problems = problems
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
        options |= {"viewport": {"width": width, "height": height}, "java_script_enabled": scripts}
        context, watch = self._context(is_hasty=hasty, **options)
        email = email or self.whole.inside.ask("member", name=name, role=role)["email"]
        if signed_in:
            give_session(context, self.whole, email)
        visitor = Visitor(email, context.new_page(), watch, self.whole)
        self.visitors.append(visitor)
        return visitor

    def leave(self) -> None:
        """Close all visitors' browsers."""
        for visitor in self.visitors:
            visitor.context.close()

    def _context(self, *, is_hasty: bool, **options: Any) -> tuple[BrowserContext, Watch]:
        # In a visible window, a page may write to the clipboard right after a press; headless Chromium also needs this
        # permission.
        options.setdefault("permissions", ["clipboard-write"])
        context = self.browser.new_context(base_url=self.whole.url, **options)
        context.set_default_timeout(TIMEOUT_MS)
        watch = Watch(self.whole.url, self.problems)
        watch.over(context)
        if is_hasty:
            context.add_init_script(HASTE)
        return context, watch


class Regulars(Guests):
    """Makes visitors for tests that look at many pages. Each visitor gets a new page in a browser context that earlier
    tests may have used.

    The context's cookies and anything pages stored are deleted, but its cache is kept; otherwise, each test would spend
    a quarter of its time reloading sixty stylesheets and scripts.
    """

    rooms: ClassVar[dict[str, list[tuple[BrowserContext, Watch]]]] = {}  # unused contexts by options

    def __init__(self, browser: Browser, whole: Whole, problems: Problems) -> None:
        super().__init__(browser, whole, problems)
        self._taken: list[tuple[str, BrowserContext, Watch]] = []

    def leave(self) -> None:
        for key, context, watch in self._taken:
            client = context.new_cdp_session(context.pages[0])
            client.send("Storage.clearDataForOrigin", {"origin": self.whole.url, "storageTypes": "local_storage"})
            for page in context.pages:
                page.close()
            context.clear_cookies()
            watch.forget()
            self.rooms.setdefault(key, []).append((context, watch))

    def _context(self, *, is_hasty: bool, **options: Any) -> tuple[BrowserContext, Watch]:
        key = repr((is_hasty, sorted(options.items())))
        left = self.rooms.get(key)
        context, watch = left.pop() if left else super()._context(is_hasty=is_hasty, **options)
        self._taken.append((key, context, watch))
        return context, watch


def give_session(context: BrowserContext, whole: Whole, email: str) -> None:
    """Sign the member in without using the sign-in page."""
    session = whole.inside.ask("session", email=email)
    context.add_cookies([{"name": "sessionid", "value": session, "url": whole.url}])
