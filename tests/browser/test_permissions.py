"""Pages turn off browser features that they don't use, and the browser knows all of those they name."""

import pytest
from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_browser_knows_every_feature_and_lets_people_paste(page: Page) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto("/history/")
    assert [words for words in said if "olicy" in words] == []
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    assert page.evaluate("navigator.clipboard.writeText('a').then(() => navigator.clipboard.readText())") == "a"
    assert not page.evaluate("document.featurePolicy.allowsFeature('geolocation')")
