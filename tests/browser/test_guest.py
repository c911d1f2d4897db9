"""A guest link from start to finish: created in the portal, opened on a phone without scripts."""

import re

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.acts import expect_picture
from tests.browser.apps import CARTOONIFY
from tests.browser.scenes.sharing import PASSPHRASE, shared, with_passphrase
from tests.browser.visitors import PHONE, Gallery, Guests
from tests.browser.whole import Whole
from tests.support.page_checks import SIDEWAYS

pytestmark = pytest.mark.browser


def test_a_guest_looks_on_a_phone_without_scripts_until_the_link_is_revoked(guests: Guests) -> None:
    maker = guests("mara")
    path = shared(maker)
    expect(maker.page.locator(".share-link.is-fresh [data-copy]")).to_be_focused()
    guest = guests("kim", signed_in=False, scripts=False, width=360, user_agent=PHONE)
    guest.page.goto(path)
    expect(guest.page).to_have_title("1 image from Mara")
    for picture in guest.page.locator(".guest-stage img").all():
        picture.scroll_into_view_if_needed()
        expect_picture(picture)
    assert guest.page.evaluate(SIDEWAYS) == ""
    assert guest.context.cookies() == []
    maker.page.goto("/shares/")
    expect(maker.page.locator(".link-row")).to_contain_text("Opened once")
    maker.page.get_by_role("button", name="Revoke").click()
    maker.page.get_by_role("button", name="Undo").wait_for()
    guest.page.reload()
    expect(guest.page.get_by_role("heading")).to_have_text("This link was revoked")
    maker.page.get_by_role("button", name="Undo").click()
    maker.page.get_by_role("button", name=re.compile("^Revoke")).wait_for()
    guest.page.reload()
    expect(guest.page.get_by_role("heading")).to_have_text("1 image from Mara")


def test_a_download_appears_once_the_maker_allows_it(guests: Guests) -> None:
    maker = guests("mara")
    path = shared(maker)
    maker.page.get_by_role("link", name="Options").click()
    maker.page.get_by_label("Download the files").check()
    maker.page.get_by_role("button", name="Save").click()
    guest = guests("kim", signed_in=False, scripts=False, width=360, user_agent=PHONE)
    guest.page.goto(path)
    with guest.page.expect_download() as begun:
        guest.page.get_by_role("link", name="Download").click()  # appears immediately or after a refresh
    with Image.open(begun.value.path()) as picture:
        picture.load()
    assert guest.context.cookies() == []


@pytest.mark.parametrize("size", [(1280, 800), (1366, 640), (1920, 1080)])
@pytest.mark.parametrize(("app", "columns"), [("card-twelve", 2), (CARTOONIFY, 1)])
def test_on_a_laptop_each_picture_fits_the_screen_with_its_caption(
    guests: Guests, gallery: Gallery, whole: Whole, app: str, columns: int, size: tuple[int, int]
) -> None:
    width, height = size
    page = guests("kim", signed_in=False, scripts=False, width=width).page
    page.set_viewport_size({"width": width, "height": height})
    page.goto(whole.inside.ask("link", run=gallery.runs[app]))
    places = [figure.bounding_box() for figure in page.locator(".guest-result").all()]
    heading = page.get_by_role("heading").bounding_box()
    assert heading
    assert all(place and place["height"] <= height - 30 for place in places)  # leaves room for the sandbox line
    assert all(place and place["height"] >= height * 0.6 for place in places)
    assert len({place["x"] for place in places if place}) == columns
    assert abs(min(place["x"] for place in places if place) - heading["x"]) < 2
    assert page.evaluate(SIDEWAYS) == ""


def test_a_picture_opens_full_size_in_a_new_tab(guests: Guests, gallery: Gallery, whole: Whole) -> None:
    guest = guests("kim", signed_in=False, scripts=False)
    guest.page.goto(whole.inside.ask("link", run=gallery.runs["card-twelve"]))
    with guest.context.expect_page() as opened:
        guest.page.get_by_role("link", name="full size").first.click()
    expect_picture(opened.value.locator("img"))
    opened.value.close()
    guest.watch.problems.forgive("Blocked script execution")  # caused by the test's script: file pages don't allow any
    assert guest.context.cookies() == []


def test_a_passphrase_opens_pictures_without_scripts_and_cookies(guests: Guests) -> None:
    maker = guests("mara")
    guest = guests("kim", signed_in=False, scripts=False, width=360, user_agent=PHONE)
    guest.page.goto(with_passphrase(maker))
    expect(guest.page.get_by_text("Kim at Acme")).to_have_count(0)
    guest.page.get_by_label("Passphrase").fill(PASSPHRASE)
    guest.page.get_by_role("button", name="Open").click()
    expect(guest.page.get_by_text("For Kim at Acme")).to_be_visible()
    expect_picture(guest.page.locator(".guest-stage img").first)
    assert guest.context.cookies() == []
