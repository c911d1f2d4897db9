"""Results that have fields, and the names of downloaded files, in a real browser."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from runs.models import Member, Output, Run
from tests.support.factories import make_app, make_kept, make_run, make_stored

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
VALUE = {"zTitle": "Autumn", "colours": [{"name": "Rust", "hex": "#b7410e"}, {"name": "Sand", "hex": "#c2b280"}]}


@pytest.fixture
def run(alice: Member) -> Run:
    """A run with two pictures that have the same label; the first one also has data."""
    outputs = [{"index": n, "label": "Front", "type": "image"} for n in range(2)]
    run = make_run(alice, make_app(outputs=outputs), status="completed", title="Oak desk")
    for position in range(2):
        make_kept(run, make_stored((300, 200)), position)
    Output.objects.filter(run=run, position=0).update(raw_value=VALUE, text=json.dumps(VALUE))
    return run


@pytest.mark.parametrize("width", [320, 1280])
def test_data_never_covers_its_picture_and_nothing_is_wider_than_the_page(
    new_context: Callable[..., BrowserContext], alice: Member, run: Run, width: int
) -> None:
    page = new_context(alice, viewport={"width": width, "height": 800}, java_script_enabled=False).new_page()
    for url in (run.get_absolute_url(), run.outputs.all()[0].get_absolute_url()):
        page.goto(url)
        picture, data = page.locator("main img").first.bounding_box(), page.locator(".object").first.bounding_box()
        assert picture
        assert data
        assert data["y"] >= picture["y"] + picture["height"]
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        expect(page.get_by_role("cell", name="#b7410e")).to_be_visible()


def test_copy_gives_words_and_downloads_have_names_of_their_own(page: Page, run: Run) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(run.get_absolute_url())
    day = f"{run.created_at:%Y-%m-%d}"

    page.get_by_role("button", name="Copy Front 1 of 2").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == "Z title: Autumn\nColours:\n  - Name: Rust\n    Hex: #b7410e\n  - Name: Sand\n    Hex: #c2b280"

    for number, name in (("1", f"oak-desk_front_{day}.png"), ("2", f"oak-desk_front_2_{day}.png")):
        with page.expect_download() as download:
            page.get_by_role("link", name=f"Download Front {number} of 2").click()
        assert download.value.suggested_filename == name
