"""Every kind of page in other languages: in German on a phone, and in the made-up language, where all text is 40 %
longer. axe finds nothing, and no page scrolls sideways; in the made-up language, at any width."""

import pytest

from tests.browser.pages import ELSEWHERE, NO_PAGES, names_of, pages_of
from tests.browser.visitors import Gallery, Guests
from tests.browser.whole import Whole
from tests.support.access_rows import ROWS
from tests.support.page_checks import SIDEWAYS, findings, too_wide
from tests.support.photos import look
from tests.support.pseudo import CODE

pytestmark = pytest.mark.browser
UNKNOWN_TO_AXE = ("html-lang-valid", "valid-lang")  # rules that know only real languages
SIGNED_OUT = ("/login/", "/password/reset/")
KINDS = {row.name for row in ROWS if row.method == "GET"} - NO_PAGES - ELSEWHERE


@pytest.mark.parametrize("language", ["de", CODE])
def test_pages_hold_in_other_languages(guests: Guests, whole: Whole, gallery: Gallery, language: str) -> None:
    visitor = guests(email=gallery.email, extra_http_headers={"Accept-Language": language}, reduced_motion="reduce")
    page = visitor.page
    found = []

    def judge(path: str) -> None:
        page.goto(path)
        assert page.locator("html").get_attribute("lang") == language
        if language == CODE:
            found.extend([*too_wide(page), *(f"{path}: {one}" for one in findings(page, but=UNKNOWN_TO_AXE))])
        else:
            look(page, 320, 640, "dark")
            found.extend([f"{path}: {one}" for one in [page.evaluate(SIDEWAYS), *findings(page)] if one])

    visitor.watch.problems.is_blind = True
    paths, of_strangers = pages_of(gallery, whole), [*SIGNED_OUT, *whole.inside.ask("ways_in", email=gallery.email)]
    assert KINDS - names_of([*paths, *of_strangers]) == set()  # every new kind of page must be added to `pages_of`
    for path in paths:
        judge(path)
    page.context.clear_cookies()
    for path in of_strangers:
        judge(path)
    assert not found, "\n".join(found)
