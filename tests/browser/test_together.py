"""Two people and a guest: invite, run, share with the team, find, compare, share with a guest, revoke."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.acts import expect_picture, expect_state, open_app, press_run
from tests.browser.apps import CARTOONIFY
from tests.browser.scenes.people import invited
from tests.browser.visitors import PHONE, Guests, Visitor
from tests.browser.whole import Whole
from tests.support.browser import await_scripts
from tests.support.keys import Keys

pytestmark = pytest.mark.browser
PASSWORD = "a long enough password"


def test_two_people_and_a_guest(guests: Guests, whole: Whole) -> None:
    ada = guests("ada", role="admin")
    kim = guests("nobody", signed_in=False, hasty=True)
    join(kim, invited(ada, Name="Kim"))
    first = make(kim, "Ghibli")
    second = make(kim, "Simpsons")
    for run in (first, second):
        share_with_team(kim.page, run)
    find(ada.page, "kim GHIBLÍ", first)
    ada.page.locator(f"#card-{first}").get_by_role("link").first.click()
    expect(ada.page.locator(".run-head")).to_contain_text("Kim")
    compare(ada, first, second)
    address = make_a_link(kim, first)
    guest = guests("nobody", width=360, scripts=False, signed_in=False, user_agent=PHONE)
    pictures = look_as_a_guest(guest, address)
    kim.page.goto("/shares/")
    expect(kim.page.locator(".link-row")).to_contain_text("Opened once")
    kim.page.get_by_role("button", name="Revoke").click()
    expect(kim.page.get_by_role("button", name=re.compile("Undo"))).to_be_visible()
    is_dead_for(guest, address, pictures)


def join(newcomer: Visitor, path: str) -> None:
    """Accept the invitation at `path`."""
    page = newcomer.page
    page.goto(path)
    page.get_by_label("Email address").fill("kim.together@acme.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("Welcome, Kim.")).to_be_visible()


def make(visitor: Visitor, style: str) -> str:
    """Run Cartoonify with `style` and wait for the pictures; return the run's id."""
    open_app(visitor)
    visitor.page.get_by_role("radio", name=style).check()
    run = press_run(visitor.page)
    visitor.whole.wait_for(run, "ready")
    expect_state(visitor.page, "Ready")
    return run


def share_with_team(page: Page, run: str) -> None:
    """Share the run with the team, with one click on the run's page."""
    page.goto(f"/runs/{run}/")
    team = page.get_by_role("button", name="Team")
    team.click()
    expect(page.locator(".share-choice.is-set")).to_contain_text("Team")
    expect(team).to_have_count(0)


def find(page: Page, words: str, run: str) -> None:
    """Find this run and nothing else, in two steps: open the Team tab, then search for words that only this run has."""
    page.goto("/history/?tab=team")
    page.locator("#history-q").fill(words)
    expect(page.locator(".run-card")).to_have_count(1)
    expect(page.locator(f"#card-{run}")).to_be_visible()


def compare(visitor: Visitor, *runs: str) -> None:
    """Select the runs in History and compare them; expect the page to show only the inputs that differ."""
    page = visitor.page
    page.goto("/history/?tab=team")
    for run in runs:
        page.locator(f"#card-{run}").hover()
        page.locator(f"#card-{run} input[name=r]").check()
    page.locator("#selection").get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", name=re.compile("ompare"), level=1)).to_be_visible()
    compare_what_is_suggested(page)
    rows = page.locator(".compare-inputs tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Style")
    expect(rows).to_contain_text("Ghibli")
    expect(rows).to_contain_text("Simpsons")
    expect_picture(page.locator(".compare-column img").first)


def compare_what_is_suggested(page: Page) -> None:
    """If the page for choosing opens because the runs have several results, compare the suggested ones."""
    if not page.locator(".compare-inputs").count():
        page.get_by_role("button", name="Compare").click()


def make_a_link(visitor: Visitor, run: str) -> str:
    """Create a guest link and copy it, with two clicks on the run's page; return the link's path."""
    page = visitor.page
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"/runs/{run}/")
    page.get_by_role("button", name="Guest link").click()
    page.locator(".share-link [data-copy]").click()
    expect(page.locator(".share-link [data-copy]")).to_contain_text("Copied")
    copied: str = page.evaluate("navigator.clipboard.readText()")
    return urlsplit(copied).path


def look_as_a_guest(guest: Visitor, address: str) -> list[str]:
    """Open the link without an account, cookies or scripts; expect only the chosen pictures; return their addresses."""
    page = guest.page
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == 200
    assert "noindex" in (answer.header_value("x-robots-tag") or "")
    pictures = page.locator(".guest-result img")
    expect(pictures).to_have_count(2)
    expect_picture(pictures.first)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("script").count() == 0
    for secret in ("Ghibli", "Cartoonify"):
        expect(page.locator("body")).not_to_contain_text(secret)
    assert guest.context.cookies() == []
    return [str(picture.get_attribute("src")) for picture in pictures.all()]


def is_dead_for(guest: Visitor, address: str, pictures: list[str]) -> None:
    """Expect the very next requests for the link and its pictures to be refused."""
    guest.page.goto(address)
    expect(guest.page.get_by_role("heading", name="This link was revoked")).to_be_visible()
    for picture in pictures:
        assert guest.context.request.get(picture).status == 410


def test_find_share_and_revoke_by_keyboard_alone(guests: Guests, whole: Whole) -> None:
    visitor = guests(hasty=True)
    page = visitor.page
    run = whole.inside.ask("start", email=visitor.email, remote_id=CARTOONIFY, Style="Ghibli")
    whole.wait_for(run, "ready")
    page.goto("/history/")
    keys, press = Keys(page), page.keyboard.press
    press("/")
    page.keyboard.type("ghibli")
    page.wait_for_url("**q=ghibli*")
    keys.tab_to(page.locator(f"#card-{run} .card-link"))
    press("Enter")
    page.wait_for_url(f"**/runs/{run}/**")
    await_scripts(page)
    keys.tab_to(page.get_by_role("button", name="Guest link"))
    press("Enter")
    expect(page.locator(".share-link")).to_be_visible()
    keys.tab_to(page.locator(".share-link [data-copy]"))
    press("Enter")
    expect(page.locator(".share-link [data-copy]")).to_contain_text("Copied")
    keys.tab_to(page.get_by_role("button", name="Revoke"))
    press("Enter")
    expect(page.get_by_role("button", name=re.compile("Undo"))).to_be_visible()
    assert keys.bad == []
