"""A client decides and comments on a small phone without scripts or cookies, and by keyboard on a wide screen."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from runs.models import Comment, Decision, GuestLink, Member, Output
from runs.sharing import links, make_guest_copies
from tests.support.factories import make_app, make_run
from tests.support.guest_links import link_to, path_of
from tests.support.hostile_server import picture
from tests.support.page_checks import SIDEWAYS, findings
from tests.support.photos import look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NewContext = Callable[..., BrowserContext]
MAKES = [("Front", "image"), ("Poster", "image"), ("Slogan", "text")]


@pytest.fixture
def link(alice: Member) -> GuestLink:
    """A guest link that lets guests decide and comment on two pictures and some text."""
    outputs = [{"index": index, "label": label, "type": kind} for index, (label, kind) in enumerate(MAKES)]
    run = make_run(alice, make_app(outputs=outputs), status="completed", title="Spring shoes")
    Output.objects.filter(run=run, position=2).update(text="Made for walking, and for standing still in the rain.")
    link_to(run, picture(1500, 1000), picture(900, 1200), may_download=False)
    made = links.make_link(alice, list(run.outputs.all()))
    GuestLink.objects.filter(pk=made.pk).update(lets_decide=True, lets_comment=True, audience="Kim at Acme")
    make_guest_copies.COPIES.run()
    return made


def expect_fits(page: Page) -> None:
    assert page.evaluate(SIDEWAYS) == ""


def expect_fine(page: Page) -> None:
    """Expect axe to find nothing, on a phone in dark mode and on a wide screen in light mode. Only axe needs scripts;
    the page itself doesn't."""
    for width, height, scheme in [(320, 640, "dark"), (1280, 800, "light")]:
        look(page, width, height, scheme)
        assert findings(page) == []
        expect_fits(page)


def test_a_client_answers_on_a_phone_without_scripts(new_context: NewContext, link: GuestLink, alice: Member) -> None:
    context = new_context(java_script_enabled=False, viewport={"width": 320, "height": 640})
    page = context.new_page()
    page.goto(path_of(link))
    expect(page.get_by_text("Alice is asking for your decision")).to_be_visible()
    expect_fits(page)
    front, poster, slogan = (page.locator(f"#r{number}") for number in (1, 2, 3))
    front.get_by_role("button", name="Needs changes").click()
    expect(front.get_by_role("alert")).to_be_in_viewport()
    expect_fits(page)
    front.get_by_label("Note or comment").fill("Less blue, please")
    front.get_by_role("button", name="Needs changes").click()
    expect(page.get_by_label("Your name")).to_be_focused()
    expect_fits(page)
    page.get_by_label("Your name").fill("Kim")
    page.keyboard.press("Enter")
    expect(front.get_by_role("status")).to_contain_text("Thank you, Kim")
    expect(front.get_by_role("status")).to_be_in_viewport()
    expect_fits(page)

    poster.get_by_label("Note or comment").fill("This corner")
    poster.get_by_role("button", name="Mark a spot").click()
    spot = page.locator(".guest-spot.is-narrow input")
    spot.click(position={"x": 210, "y": 28})
    expect(page.locator(".guest-spot.is-narrow .guest-dots")).to_be_visible()
    expect_fits(page)
    page.get_by_role("button", name="Send comment").click()
    expect(poster.get_by_role("status")).to_contain_text("can now read your comment")
    comment = Comment.objects.get()
    assert (abs((comment.spot_x or 0) - 7_500) < 50, comment.text) == (True, "This corner")
    for box in (poster, slogan):
        box.get_by_role("button", name="Approve").click()
        expect(box.get_by_role("status")).to_contain_text("You approved this")
    expect(page.get_by_text("You've answered all 3 results").last).to_be_attached()
    expect_fits(page)
    slogan.get_by_text("Change your answer").click()
    slogan.get_by_label("Note or comment").fill("Shorter")
    slogan.get_by_role("button", name="Needs changes").click()
    expect(slogan.get_by_role("status")).to_contain_text("You asked for changes")
    standing = Decision.objects.filter(is_standing=True).order_by("output__position")
    assert [row.verdict for row in standing] == ["changes", "approved", "changes"]
    assert context.cookies() == []

    slogan.get_by_text("Change your answer").click()
    slogan.get_by_label("Note or comment").fill("Words that must not be lost")
    links.revoke(link, alice)
    slogan.get_by_role("button", name="Needs changes").click()
    expect(page.get_by_role("heading")).to_have_text("This link was revoked")
    expect(page.get_by_label("What you wrote")).to_have_value("Words that must not be lost")
    expect_fits(page)


def test_a_client_answers_by_keyboard(new_context: NewContext, link: GuestLink, alice: Member) -> None:
    page = new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.goto(path_of(link))
    expect_fine(page)
    page.locator("#r3").get_by_role("button", name="Needs changes").press("Enter")
    expect(page.locator("#r3").get_by_role("alert")).to_be_visible()
    expect_fine(page)
    page.get_by_label("Note or comment about Front").focus()
    page.keyboard.type("Less blue")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Approve Front")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your name")).to_be_focused()
    expect_fine(page)
    page.keyboard.type("Kim")
    page.keyboard.press("Enter")
    expect(page.locator("#r1").get_by_role("status")).to_contain_text("Less blue")
    expect(page.locator("#r1")).to_be_focused()  # so Tab continues from the result, not from the top of the page
    page.keyboard.press("Tab")
    expect(page.locator("#r1 :focus")).to_have_count(1)
    expect_fine(page)
    page.context.set_extra_http_headers({"Accept-Language": "de"})
    page.reload()
    expect(page.get_by_text("Danke, Kim")).to_be_visible()
    expect_fine(page)
    page.context.set_extra_http_headers({"Accept-Language": "en"})
    page.reload()
    page.get_by_label("Note or comment about Poster").fill("Here")
    page.locator("#r2").get_by_role("button", name="Mark a spot").press("Enter")
    page.get_by_text("Or enter the position").press("Enter")
    page.get_by_label("% from the left").fill("25")
    page.get_by_label("% from the top").fill("75")
    page.keyboard.press("Enter")  # marks the spot, but sends nothing yet
    expect(page.locator(".guest-spot.is-wide .guest-dots")).to_be_visible()
    expect_fine(page)
    assert not Comment.objects.exists()
    page.get_by_role("button", name="Send comment").press("Enter")
    expect(page.locator("#r2").get_by_role("status")).to_contain_text("can now read your comment")
    assert [(c.spot_x, c.spot_y) for c in Comment.objects.all()] == [(2_500, 7_500)]
    expect_fine(page)
    page.locator("#r2").get_by_label("Note or comment").fill("Too late")
    links.revoke(link, alice)
    page.locator("#r2").get_by_role("button", name="Needs changes").press("Enter")
    expect(page.get_by_label("What you wrote")).to_have_value("Too late")
    expect_fine(page)
