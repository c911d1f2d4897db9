"""House rules are shown above an app's form, and nothing in them can do any harm."""

import pytest
from django.test import Client

from runs.catalog.house_rules import house_rules_html
from runs.models import App, Member
from tests.support.app_settings import set_rules
from tests.support.factories import PROMPT, make_app
from tests.support.page import Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def app() -> App:
    return make_app(parameters=[PROMPT])


HARMFUL = """# Rules <script>alert(1)</script>

[a](javascript:alert(1)) [b](JaVaScRiPt:alert(1)) [c](data:text/html,x) [d](//evil.test) [e](/me/) <b onclick="x">b</b>
![picture](https://x.test/a.png) <img src=x onerror=alert(1)> [x](https://x.test/"onmouseover="alert(1))

<iframe src="https://x.test"></iframe>

* **Never** show [people](https://x.test/rules) to <guests@x.test> [mail](mailto:a@x.test)
"""


def test_house_rules_are_shown_and_harmless(as_alice: Client, admin_member: Member, app: App) -> None:
    set_rules(app, admin_member, house_rules=HARMFUL)

    rules = Page(as_alice.get(app.get_absolute_url()).text).first(css="house-rules")

    assert rules.first("h3").words == "Rules <script>alert(1)</script>"
    assert rules.first("li").words.startswith("Never show people to guests@x.test")
    assert "picture" in rules.words
    links = {e.attributes.get("href", "").partition(":")[0] for e in rules.find("a")}
    assert links <= {"https", "mailto", ""}
    assert {e.tag for e in rules.walk()} <= {"section", "h2", "h3", "div", "p", "br", "a", "ul", "li", "strong"}
    assert {name for e in rules.find("a") for name in e.attributes} <= {"href", "rel"}
    set_rules(app, admin_member, house_rules="word " * 1000)
    assert len(house_rules_html("word " * 1000)) > 4000
