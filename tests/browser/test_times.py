"""Times are shown in the browser's own time zone; focus, hover and touch reveal the full date and zone."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from runs.models import Member, Run
from runs.sharing import links
from runs.web import secret_links
from tests.support.factories import make_kept, make_run
from tests.support.page_checks import SIDEWAYS, findings

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
AT = datetime(2026, 3, 5, 23, 30, 9, tzinfo=UTC)
FULL, BRIEFER = "Friday, 6 March 2026, 08:30:09 (Tokyo, UTC+9)", "6 March 2026, 08:30 (Tokyo, UTC+9)"


@pytest.fixture
def run(alice: Member) -> Run:
    made = make_run(alice, status="completed", created_at=AT, started_at=AT, finished_at=AT, title="Oak desk " * 6)
    make_kept(made)
    return made


@pytest.fixture
def tokyo(new_context: Callable[..., BrowserContext], alice: Member) -> Page:
    size = {"width": 320, "height": 640}
    page = new_context(alice, viewport=size, has_touch=True, timezone_id="Asia/Tokyo", color_scheme="dark").new_page()
    page.goto("/")  # this visit tells the portal the browser's time zone
    return page


def covers(one: Locator, other: Locator) -> bool:
    a, b = one.bounding_box(), other.bounding_box()
    assert a
    assert b
    apart = a["x"] >= b["x"] + b["width"] or b["x"] >= a["x"] + a["width"]
    return not (apart or a["y"] >= b["y"] + b["height"] or b["y"] >= a["y"] + a["height"])


def test_a_time_tells_its_full_date_by_keyboard_mouse_and_touch(tokyo: Page, run: Run) -> None:
    tokyo.goto(run.get_absolute_url())
    moment = tokyo.locator(".run-crumb .moment")
    full = moment.get_by_text(FULL)
    expect(moment.locator("time")).to_have_text("6 Mar, 08:30")
    expect(full).to_be_hidden()
    for point in (moment.focus, moment.tap):
        point()
        expect(full).to_be_visible()
        assert tokyo.evaluate(SIDEWAYS) == ""
        assert findings(tokyo) == []
        tokyo.keyboard.press("Escape")
        expect(full).to_be_hidden()
        moment.blur()
    tokyo.set_viewport_size({"width": 1280, "height": 800})
    last = tokyo.locator("#run-timeline .moment").last
    last.hover()
    expect(last.get_by_text(FULL)).to_be_in_viewport(ratio=1)
    assert tokyo.evaluate(SIDEWAYS) == ""


@pytest.mark.parametrize("path", ["/history/", "/history/?view=list"])
def test_in_history_the_full_time_does_not_cover_the_title(tokyo: Page, run: Run, path: str) -> None:
    tokyo.goto(path)
    card = tokyo.locator(".run-card")
    link, full = card.locator(".card-link"), card.locator(".run-card-when > span")
    expect(link).to_have_accessible_description(BRIEFER)
    expect(full).to_be_hidden()
    card.locator("time").tap()
    expect(full).to_be_visible()
    card.locator("time").blur()
    tokyo.keyboard.press("j")  # moves focus to the card's link, as Tab does
    expect(link).to_be_focused()
    expect(full).to_have_text(BRIEFER)
    for width in (320, 1280):
        tokyo.set_viewport_size({"width": width, "height": 640})
        expect(full).to_be_visible()
        assert not covers(full, link), width
        assert findings(tokyo) == []
    tokyo.keyboard.press("Escape")
    expect(full).to_be_hidden()
    expect(link).to_be_focused()


@pytest.mark.parametrize("path", ["/history/", "/history/?view=list"])
def test_without_scripts_the_full_time_covers_nothing(
    new_context: Callable[..., BrowserContext], alice: Member, run: Run, path: str
) -> None:
    page = new_context(alice, viewport={"width": 320, "height": 640}, java_script_enabled=False).new_page()
    page.goto(path)
    card = page.locator(".run-card")
    full = card.locator(".run-card-when > span")
    for _press in range(40):
        page.keyboard.press("Tab")
        if full.is_visible():
            break
    expect(full).to_be_visible()
    for part in (".run-card-picture", ".card-link", ".run-card-inputs", ".run-card-foot"):
        assert not covers(full, card.locator(part).first), part


@pytest.mark.parametrize("is_guest", [False, True], ids=["without scripts", "a guest's page"])
def test_where_no_script_could_close_it_the_full_time_is_text(
    new_context: Callable[..., BrowserContext], alice: Member, run: Run, is_guest: bool
) -> None:
    size = {"width": 320, "height": 640}
    page = new_context(None if is_guest else alice, viewport=size, java_script_enabled=is_guest).new_page()
    link = links.make_link(alice, list(run.outputs.all()))
    path = f"/s/{secret_links.token_of(secret_links.Purpose.GUEST, link.nonce)}/"
    page.goto(path if is_guest else run.get_absolute_url())
    moment = page.locator(".moment").first
    expect(moment.locator(".moment-full")).to_be_visible()
    expect(moment.locator(".moment-full")).to_have_css("position", "static")
    expect(moment.locator("time")).to_be_hidden()
    if is_guest:
        assert page.evaluate(SIDEWAYS) == ""
        assert findings(page) == []
