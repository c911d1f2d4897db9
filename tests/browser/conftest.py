"""The portal for the browser tests, and its visitors."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.apps import LEFT_ALONE
from tests.browser.visitors import FINISHED, Gallery, Guests, Regulars
from tests.browser.whole import Whole
from tests.support.browser import Problems
from tests.support.mail_servers import MailServer


@pytest.fixture(autouse=True)
def problems(session_problems: Problems) -> Iterator[Problems]:
    """Fail each test on whose pages something went wrong. `problems.forgive` is for what a test causes on purpose."""
    session_problems.begin_anew()
    yield session_problems
    assert session_problems.found == []


@pytest.fixture(scope="session")
def _whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    with MailServer() as post:
        whole = Whole(tmp_path_factory.mktemp("whole"), post)
        try:
            whole.start()
            yield whole
        finally:
            whole.stop()


@pytest.fixture
def whole(_whole: Whole) -> Whole:
    """Return the running portal that all tests share, with nothing left on Lamina from earlier tests."""
    _whole.begin_anew()
    return _whole


@pytest.fixture(scope="session")
def gallery(_whole: Whole) -> Gallery:
    """Return an admin with a history; both are created just once, for all tests. Tests may look at this history but not
    add to it."""
    email = _whole.inside.ask("member", name="gala", role="admin")["email"]
    _whole.script("card-twelve", seconds=2)
    runs = {app: _whole.inside.ask("start", email=email, remote_id=app, **given) for app, given in FINISHED.items()}
    for run in runs.values():
        _whole.wait_for(run, "final")
    _whole.inside.ask("look", email=email)
    _whole.inside.ask("fill_history", email=email, remote_id=LEFT_ALONE, count=30)
    return Gallery(email, runs)


@pytest.fixture
def guests(browser: Browser, whole: Whole, problems: Problems) -> Iterator[Guests]:
    """Make this test's visitors. Requests to other sites count as problems, too."""
    made = Guests(browser, whole, problems)
    yield made
    made.leave()


@pytest.fixture
def regulars(browser: Browser, whole: Whole, problems: Problems) -> Iterator[Regulars]:
    """Like `guests`, but with the portal's styles and scripts already in the browsers' caches."""
    made = Regulars(browser, whole, problems)
    yield made
    made.leave()
