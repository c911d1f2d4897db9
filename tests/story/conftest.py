"""The portal of the stories and its visitors."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.processes import wait_until
from tests.story.watch import Watch
from tests.story.whole import Whole

PATIENCE_MS = 10_000
expect.set_options(timeout=PATIENCE_MS)


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
        give_session(context, self.whole, self.email)
        return context


class Guests:
    """Makes visitors: `guests("ann", width=320, scripts=False, is_known=False)`."""

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
        email = self.whole.inside.ask("member", name=name, role=role)["email"]
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
