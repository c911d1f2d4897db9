"""Finding apps that aren't listed. Lamina's suggestions appear below our own results without moving them: while someone
types, on Enter, for a pasted address, and without scripts. An app that nobody has opened before shows its form right
away."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.visitors import Guests, Visitor
from tests.browser.whole import Whole
from tests.support.browser import release
from tests.support.processes import wait_until

pytestmark = pytest.mark.browser
UUID = "7d2c1a1e-51f2-4a3c-9b0e-0c4d2f6a8b%02d"
MOST_SHIFT = 0.05


@pytest.fixture
def beyond(whole: Whole) -> Iterator[dict[str, str]]:
    """Add an unlisted app that nobody in this portal has seen; return its id on Lamina and its name."""
    number = whole.inside.ask("forget_searches")
    app: dict[str, Any] = {"appId": UUID % number, "name": f"Dental advert {number}", "description": "For a dentist."}
    app["parameters"] = [{"id": "a", "name": "Headline", "type": "text"}]
    app["outputs"] = [{"index": 0, "label": "Poster", "type": "image"}]
    whole.lamina.control("apps", app=app, listed=False)
    yield {"id": app["appId"], "name": app["name"]}
    whole.lamina.clear_faults()


def asked(whole: Whole) -> list[str]:
    """Return the searches that Lamina has received, in order."""
    return [request["query"]["search"] for request in whole.lamina.requests_to("search")]


def shift(page: Page) -> float:
    return float(page.evaluate("story.shifts.reduce((sum, [value]) => sum + value, 0)"))


def type_at_once(page: Page, words: str) -> float:
    """Type `words` without a pause, however busy the machine is; return the end time on the page's clock, in ms."""
    done: float = page.get_by_label("Search apps").evaluate(
        """(box, words) => {
            for (const letter of words) {
                box.value += letter;
                box.dispatchEvent(new InputEvent("input", { bubbles: true }));
            }
            return performance.now();
        }""",
        words,
    )
    return done


def hold(page: Page, urls: str) -> list[Route]:
    """Hold back htmx's next request to `urls`, so that the page stays in its waiting state."""
    held: list[Route] = []

    def keep(route: Route) -> None:
        is_first = not held and "hx-request" in route.request.headers
        held.append(route) if is_first else route.continue_()

    page.route(urls, keep)
    return held


def first_look(page: Page) -> float:
    """Return the time on the page's clock, in ms, at which the page first requested Lamina's suggestions."""
    looks = "performance.getEntriesByType('resource').filter(({ name }) => name.includes('/apps/lamina/'))"
    return float(page.evaluate(f"{looks}[0].startTime"))


def polls(page: Page) -> int:
    """Return how many times the page has polled for its app's form."""
    entries = "performance.getEntriesByType('resource').filter(({ name }) => name.includes('look='))"
    return int(page.evaluate(f"{entries}.length"))


@pytest.mark.parametrize("width", [320, 1280])
def test_typing_brings_our_own_apps_first_and_lamina_once_one_pauses(
    guests: Guests, whole: Whole, beyond: dict[str, str], width: int
) -> None:
    visitor = guests(width=width)
    page = visitor.page
    page.goto("/apps/")
    held = hold(page, "**/apps/lamina/**")

    typed = type_at_once(page, "cartoon by a dentist")

    expect(page.locator("#app-grid .app-card").first).to_contain_text("Cartoonify!")
    expect(page.locator("#lamina .lamina-wait").first).to_be_attached()
    release(page, held)
    row = page.locator("#lamina .app-row")
    expect(row).to_contain_text(beyond["name"])
    expect(row).to_contain_text("Matches dentist.")
    expect(page.locator("#lamina-hint")).to_contain_text("1 suggested by Lamina")
    expect(page.locator(".lamina-above")).to_contain_text("Cartoonify!")
    wait_until(lambda: asked(whole) != [], "the search by words")
    assert asked(whole) == ["cartoon by a dentist"]  # nothing was requested while the words were being typed
    assert len(whole.lamina.requests_to("discover")) == 1
    assert first_look(page) - typed >= 590
    assert shift(page) <= MOST_SHIFT


def test_home_asks_too_and_a_star_keeps_what_was_found(guests: Guests, whole: Whole, beyond: dict[str, str]) -> None:
    visitor = guests()
    page = visitor.page
    whole.wait_for(whole.inside.ask("start", email=visitor.email, remote_id="card-instant"), "ready")
    page.goto("/")
    page.get_by_label("What do you need?").fill("something for my dentist")
    row = page.locator("#lamina .app-row").filter(has_text=beyond["name"])
    expect(row).to_be_visible()
    expect(page.locator("#lamina-hint")).to_contain_text("suggested by Lamina")
    row.get_by_role("button").click()
    expect(row.get_by_role("button")).to_have_attribute("aria-pressed", "true")

    other = guests("bob").page
    other.goto(f"/apps/?q={quote(beyond['name'])}")
    expect(other.locator("#app-grid .app-card").first).to_contain_text(beyond["name"])


def test_a_pasted_address_opens_the_app_on_enter(guests: Guests, whole: Whole, beyond: dict[str, str]) -> None:
    page = guests().page
    page.goto("/apps/")
    box = page.get_by_label("Search apps")
    address = f"https://app.uselamina.ai/w/apps/{beyond['id']}?tab=run"
    # not typed, since a pause in typing would also add the app
    box.evaluate("(it, text) => { it.value = text; }", address)
    # The first request for the app's page is slow, so the page with the search asks again and opens the app again
    slow: list[Route] = []
    page.route(re.compile("/apps/dental-advert-"), lambda route: route.continue_() if slow else slow.append(route))
    box.press("Enter")

    expect(page.get_by_role("heading", name=beyond["name"])).to_be_visible()
    expect(page.get_by_text("We found this app on Lamina and added it")).to_have_count(1)
    expect(page.get_by_label("Headline")).to_be_visible()


def test_a_search_that_fails_says_so_and_can_be_tried_again(
    guests: Guests, whole: Whole, beyond: dict[str, str]
) -> None:
    page = guests().page
    for endpoint in ("discover", "search"):
        whole.lamina.control("faults", endpoint=endpoint, fault="status", status=500, times=None)
    page.goto("/apps/?q=dentist")
    expect(page.locator("#lamina")).to_contain_text("Lamina couldn't complete this search.")
    whole.lamina.clear_faults()

    page.get_by_role("link", name="Ask again").click()

    expect(page.locator("#lamina .app-row")).to_contain_text(beyond["name"])
    assert page.url.endswith("/apps/?q=dentist")


def test_without_scripts_enter_asks_lamina_and_the_page_comes_back(
    guests: Guests, whole: Whole, beyond: dict[str, str]
) -> None:
    page = guests(scripts=False).page
    page.goto("/apps/")
    page.get_by_label("Search apps").last.fill("dentist")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#lamina .app-row")).to_contain_text(beyond["name"])  # after the page has refreshed itself
    assert page.locator("meta[http-equiv=refresh]").count() == 0

    page.goto("/apps/?q=another+dentist")  # as if opened from a shared link
    assert page.locator(".lamina-asking:visible").count() == 0  # nobody is asking
    page.get_by_role("link", name="Ask Lamina too").click()
    expect(page.locator("#lamina .app-row")).to_contain_text(beyond["name"])

    page.get_by_label("Search apps").last.fill(beyond["id"])
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("heading", name=beyond["name"])).to_be_visible()
    expect(page.get_by_label("Headline")).to_be_visible()


def opened_first(visitor: Visitor, app: dict[str, str]) -> None:
    """Open an app from the search results before its form has ever been requested."""
    page = visitor.page
    page.goto(f"/apps/?q={quote(app['name'] + ' zebra')}&ask=1")
    page.get_by_role("link", name=re.compile(f"^{app['name']}")).click()


def test_the_form_of_an_app_nobody_has_opened_comes_within_one_look(
    guests: Guests, whole: Whole, beyond: dict[str, str]
) -> None:
    visitor = guests()
    page = visitor.page
    page.goto(f"/apps/?q={quote(beyond['name'] + ' zebra')}")
    link = page.get_by_role("link", name=re.compile(f"^{beyond['name']}"))
    link.wait_for()
    whole.lamina.control("faults", endpoint="app", fault="delay", seconds=0.4, times=1)
    held = hold(page, "**/apps/*/?*")
    link.evaluate("(link) => (location.href = link.href)")

    expect(page.locator(".is-waiting .skeleton").first).to_be_attached()
    # Opening the page makes the portal request the form, so the form has arrived by the page's first poll
    wait_until(lambda: whole.inside.ask("has_form", remote_id=beyond["id"]), "the worker to read the form")
    release(page, held)
    page.get_by_label("Headline").wait_for()
    assert polls(page) == 1
    paths = [request["path"] for request in whole.lamina.requests_to("app")]
    assert len([path for path in paths if beyond["id"] in path]) == 1  # any other requests come from earlier tests
    page.get_by_label("Headline").fill("Smile")
    expect(page.locator("[data-draft-saved]")).to_be_visible()


def test_the_first_form_comes_without_scripts_too(guests: Guests, whole: Whole, beyond: dict[str, str]) -> None:
    visitor = guests(scripts=False)
    opened_first(visitor, beyond)
    expect(visitor.page.get_by_label("Headline")).to_be_visible()
    assert visitor.page.locator("meta[http-equiv=refresh]").count() == 0
