"""The portal of the stories and its visitors."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser import PATIENCE_MS
from tests.processes import wait_until
from tests.story.apps import CARTOONIFY, LEFT_ALONE
from tests.story.watch import Watch
from tests.story.whole import Whole

# For stories that are not about the pace of the poller.
HASTE = """
const wait = window.setTimeout;
window.setTimeout = (act, after, ...rest) => wait(act, after === 2500 ? 400 : after, ...rest);
"""


@pytest.fixture(scope="session")
def _whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    whole = Whole(tmp_path_factory.mktemp("whole"))
    try:
        whole.start()
        yield whole
    finally:
        whole.stop()


@pytest.fixture
def whole(_whole: Whole) -> Whole:
    """The one running portal; nothing of earlier stories is left at Lamina."""
    _whole.begin_anew()
    return _whole


@dataclass
class Gallery:
    """An admin with a history: finished runs by Lamina's id of their app, and pages of older ones."""

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


@pytest.fixture(scope="session")
def gallery(_whole: Whole) -> Gallery:
    """Made once: to be looked at, not to be added to."""
    email = _whole.inside.ask("member", name="gala", role="admin")["email"]
    _whole.script("card-twelve", seconds=2)
    runs = {app: _whole.inside.ask("start", email=email, remote_id=app, **given) for app, given in FINISHED.items()}
    for run in runs.values():
        _whole.wait_for(run, "final")
    _whole.inside.ask("fill_history", email=email, remote_id=LEFT_ALONE, count=30)
    return Gallery(email, runs)


@dataclass
class Visitor:
    """A member at a browser of their own."""

    email: str
    page: Page
    watch: Watch
    whole: Whole

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for something the watch will see; Playwright tells it only while it is being asked itself."""

        def look() -> bool:
            self.page.wait_for_timeout(1)
            return condition()

        wait_until(look, what)

    def another_browser(self, browser: Browser) -> BrowserContext:
        """The same member elsewhere; the caller closes it."""
        context = browser.new_context(base_url=self.whole.url)
        context.set_default_timeout(PATIENCE_MS)
        give_session(context, self.whole, self.email)
        return context


class Guests:
    """Makes visitors: `guests("ann", width=320, scripts=False)`; a HASTY one's pages ask more often.

    Each is a member of their own, unless EMAIL says who it is.
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
        context.set_default_timeout(PATIENCE_MS)
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


@pytest.fixture
def guests(browser: Browser, whole: Whole) -> Iterator[Guests]:
    """Visitors of this story. At its end nothing may have broken the policy or left the portal's own address."""
    made = Guests(browser, whole)
    yield made
    for visitor in made.visitors:
        visitor.context.close()
    problems = [problem for visitor in made.visitors for problem in visitor.watch.problems]
    assert problems == []
