"""The preview that shows admins an app as a maker sees it: the same page below a banner, but nothing can be saved or
started from it."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from runs.models import App, AppRule, Draft, FieldRule, Member, Run
from tests.support.app_forms import fields
from tests.support.factories import PICTURE, PROMPT, STYLE, make_app, make_run
from tests.support.page import Element, Page

pytestmark = pytest.mark.django_db
SENDING = re.compile(
    r'data-(?:preview|upload-url|room-url)="[^"]*"|<button[^>]*library-(?:open|go)"[^>]*>.*?</button>'
    r'|<form\s+class="star[^>]*>|(?<=class="star-button")[^>]*>',
    re.S,
)
CHANGING = re.compile(r'(name="(?:token|csrfmiddlewaretoken)" value=")[^"]*')


@pytest.fixture
def app() -> App:
    app = make_app("Poster", [STYLE, PROMPT, PICTURE])
    AppRule.objects.create(app=app)
    FieldRule.objects.create(
        app=app, key="prompt_text", name="Prompt", label="What it says", mode="locked", value="Sale"
    )
    return app


def test_it_is_what_a_maker_gets(as_admin: Client, admin_member: Member, as_bob: Client, app: App) -> None:
    """A9: the HTML is the same except for the banner and the parts that send files. The admin's own results, drafts and
    permissions leave no trace on it."""
    make_run(admin_member, app, status="completed")

    preview = as_admin.get(_url(app)).text

    banner = Page(preview).first(css="app-preview")
    assert "This is what a maker sees." in banner.words
    assert _main(preview) == _main(as_bob.get(app.get_absolute_url()).text)
    assert "What it says" in "".join(_main(preview))


def test_nothing_is_saved_or_started_from_it(as_admin: Client, admin_member: Member, app: App) -> None:
    page = Page(as_admin.get(_url(app)).text)
    control = next(field for field in page.find("input") if field.attributes.get("name") == "preview")
    assert control.attributes["form"] == "app-form"
    token = next(field for field in page.find("input") if field.attributes.get("name") == "token")
    posted = fields(app, admin_member) | {"preview": "1", "token": token.attributes["value"]}

    answer = as_admin.post(app.get_absolute_url(), posted, follow=True)
    saved = as_admin.post(reverse("runs:draft-save", args=[app.public_id]), posted)

    assert "This is only a preview: nothing was saved or started." in answer.text
    assert (saved.status_code, Draft.objects.count(), Run.objects.count()) == (204, 0, 0)
    del posted["preview"]  # even without this field, the page's token can't start a run
    assert as_admin.post(app.get_absolute_url(), posted).status_code == 422
    assert not Run.objects.exists()


def test_no_file_is_sent_or_adopted_from_it(as_admin: Client, as_bob: Client, app: App) -> None:
    preview, page = as_admin.get(_url(app)).text, as_bob.get(app.get_absolute_url()).text
    for address in (reverse("runs:upload-create"), reverse("runs:upload-room"), reverse("runs:library")):
        assert f'"{address}' in page
        assert f'"{address}' not in preview
    assert 'value="library:' not in preview


def test_its_stars_cannot_be_pressed(as_admin: Client, as_bob: Client, app: App) -> None:
    star, maker = (_star(client.get(url)) for client, url in ((as_admin, _url(app)), (as_bob, app.get_absolute_url())))
    button = star.first("button").attributes
    assert {"method", "action", "hx-post"} <= maker.attributes.keys()
    assert star.attributes.keys() == {"class"}
    assert (button["type"], button["aria-disabled"]) == ("button", "true")


def _star(answer: Any) -> Element:
    return next(form for form in Page(answer.text).find("form") if "star" in form.attributes.get("class", "").split())


def test_it_says_if_makers_do_not_see_the_app(as_admin: Client, app: App) -> None:
    as_admin.post("/manage/apps/", {"act": "hide", "app": [app.public_id]})
    assert "Makers can&#x27;t see this app." in as_admin.get(_url(app)).text


def _url(app: App) -> str:
    return reverse("runs:manage-app-preview", args=[app.public_id])


def _main(html: str) -> list[str]:
    """Return the lines of the page's main part, without the banner and without parts that change from request to
    request."""
    main = html[html.index("<main") : html.index("</main>")]
    start, end = main.find('<div class="notice app-preview"'), main.index('<article class="app-page">')
    kept = CHANGING.sub(r"\1", main[:start] + main[end:] if start > 0 else main)
    kept = SENDING.sub("", kept)
    return [line.strip() for line in kept.splitlines() if line.strip()]
