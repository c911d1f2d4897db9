"""Runs that teammates share while History's Team tab or Home is open."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.acts import SLOW, told
from tests.browser.page_clock import pass_time, stop_time
from tests.browser.visitors import Guests
from tests.browser.whole import Whole
from tests.support.page_checks import COVERED

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("path", "width"), [("/history/?tab=team", 1280), ("/", 320)])
def test_shared_runs_are_counted_without_a_jump(guests: Guests, whole: Whole, path: str, width: int) -> None:
    visitor, mate = guests(width=width), guests("bob")
    page = visitor.page
    # Without a finished run, Home would show what newcomers see.
    whole.inside.ask("fill_history", email=visitor.email, remote_id=SLOW, count=1)
    runs = [whole.inside.ask("stay", email=mate.email, remote_id=SLOW, status="starting") for _ in range(4)]
    whole.inside.ask("share", run=runs[0])
    stop_time(page)
    page.goto(path)
    expect(page.locator(f"#card-{runs[0]}")).to_be_visible()
    news = page.locator("#team-news a")

    pass_time(visitor, 20)
    expect(news).to_be_hidden()
    before = page.locator(f"#card-{runs[0]}").bounding_box()
    for run in runs:  # the first is already on the page and is shared again
        whole.inside.ask("share", run=run)
    whole.inside.ask("share", run=runs[3], is_shared=False)

    pass_time(visitor, 20)
    expect(news).to_have_text(re.compile(r"^\s*2 new"))
    assert page.locator(f"#card-{runs[0]}").bounding_box() == before
    visitor.wait_for(lambda: "New runs shared by the team: 2." in told(page, "said"), "the news to be announced")
    box = news.bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert not page.evaluate(COVERED)
    news.click()
    for run in runs[:3]:
        expect(page.locator(f"#card-{run}")).to_be_visible()


def test_a_run_started_on_another_device_is_told_on_mine(guests: Guests, whole: Whole) -> None:
    visitor = guests(width=390)
    page = visitor.page
    whole.inside.ask("fill_history", email=visitor.email, remote_id=SLOW, count=1)
    stop_time(page)
    page.goto("/history/")
    news = page.locator("#own-news a")
    expect(news).to_be_hidden()

    run = whole.inside.ask("stay", email=visitor.email, remote_id=SLOW, status="starting")

    pass_time(visitor, 65)
    expect(news).to_have_text(re.compile(r"^\s*1 new from you"))
    for width in (320, 390, 768, 1280):
        page.set_viewport_size({"width": width, "height": 640})
        assert not page.evaluate(COVERED), width
    news.click()
    expect(page.locator(f"#card-{run}")).to_be_visible()
