"""The guest's page and the maker's panel in a real browser, before the copies are ready, once they are, and if they
can't be made."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from runs.models import GuestCopy, GuestLink, Member
from runs.sharing import make_guest_copies
from tests.support.factories import make_app, make_run
from tests.support.guest_links import content_of, link_to, path_of
from tests.support.hostile_server import picture
from tests.support.page_checks import SIDEWAYS, findings

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MAKES = [("Front", "image"), ("Poster", "image"), ("Reel", "video"), ("Voice-over", "audio")]
LINES_OF_WORDS = """button => {
    const words = document.createRange();
    words.selectNode([...button.childNodes].find((node) => node.textContent.trim() === "Download all"));
    return words.getClientRects().length;
}"""
SIGHTS = [(360, "dark"), (1280, "light")]
NewContext = Callable[..., BrowserContext]


@pytest.fixture
def link(alice: Member) -> GuestLink:
    """A link to four results: one whose metadata can be removed, one whose metadata can't, a video and an audio
    file."""
    outputs = [{"index": index, "label": label, "type": kind} for index, (label, kind) in enumerate(MAKES)]
    run = make_run(alice, make_app(outputs=outputs), status="completed", title="Spring shoes")
    media = [content_of(kind) for kind in ("webm", "mp3")]
    return link_to(run, picture(1500, 1000), picture(900, 600, "TIFF"), *media)


def without_refresh(route: Route) -> None:
    """Pass the page on without its Refresh header; otherwise, it would reload in the middle of a measurement."""
    response = route.fetch()
    headers = {name: value for name, value in response.headers.items() if name != "refresh"}
    route.fulfill(response=response, headers=headers)


def expect_fine(page: Page, address: str) -> None:
    """Expect no overflow and no axe findings, in a narrow window in dark mode and in a wide one in light mode."""
    page.route(f"**{address}", without_refresh)
    for width, scheme in SIGHTS:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(address)
        assert page.evaluate(SIDEWAYS) == ""
        assert findings(page) == []


def test_guests_and_maker_see_each_state_and_the_next_one_by_itself(
    new_context: NewContext, alice: Member, link: GuestLink
) -> None:
    guest = new_context(java_script_enabled=False).new_page()
    guest.goto(path_of(link))
    expect(guest.get_by_text("This page updates automatically.")).to_be_visible()
    expect(guest.get_by_role("link", name="Download")).to_have_count(0)
    maker, panel = new_context(alice).new_page(), f"/runs/{link.outputs.all()[0].run.public_id}/share/"
    maker.goto(panel)
    expect(maker.get_by_text("4 files are being prepared")).to_be_visible()
    onlooker = new_context().new_page()
    expect_fine(onlooker, path_of(link))
    expect_fine(new_context(alice).new_page(), panel)

    # Use a new page, because the first one refreshes itself, and doing so now would interrupt the navigation.
    guest = guest.context.new_page()
    guest.context.pages[0].close()
    guest.goto(path_of(link))
    # The guest's page must not refresh while only some copies are ready: if the video is among them, it starts playing,
    # and a page on which a video is playing no longer refreshes. So requests go through a route whose handler can't run
    # before `COPIES.run` returns.
    guest.route("**", lambda route: route.continue_())
    make_guest_copies.COPIES.run()

    download = guest.get_by_role("button", name="Download all")
    expect(download).to_be_visible()
    guest.set_viewport_size({"width": 360, "height": 800})
    assert download.evaluate(LINES_OF_WORDS) == 1, "no word of the button breaks"
    expect(guest.get_by_role("link", name="Download")).to_have_count(4)
    assert guest.context.cookies() == []
    expect(maker.get_by_text("1 file isn't shared with guests")).to_be_visible()
    expect(maker.get_by_text("being prepared")).to_have_count(0)
    expect_fine(onlooker, path_of(link))


@pytest.mark.parametrize(
    ("fields", "told", "told_maker"),
    [
        ({"status": "preparing", "error": "No room."}, "We'll try again", "We'll try again. No room."),
        ({"status": "impossible"}, "can't be removed", "4 files aren't shared with guests"),
        ({"status": "no-tool"}, "Download all", "4 files are shared unchanged"),
    ],
    ids=["late", "impossible", "no tool"],
)
def test_what_went_wrong_is_said_plainly(
    new_context: NewContext, alice: Member, link: GuestLink, fields: dict[str, str], told: str, told_maker: str
) -> None:
    make_guest_copies.COPIES.run()
    GuestCopy.objects.update(file=None, **fields)
    guest, maker = new_context().new_page(), new_context(alice).new_page()
    for page, address, words in ((guest, path_of(link), told), (maker, f"/shares/{link.public_id}/", told_maker)):
        expect_fine(page, address)
        expect(page.get_by_text(words).first).to_be_visible()
