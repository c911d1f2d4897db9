"""A page that waits for an app's form polls for several minutes; then it stops, says so, and offers to check again."""

import pytest
from django.test import Client

from runs.models import App
from tests.support.factories import make_app
from tests.support.page import Page

pytestmark = pytest.mark.django_db
LATE = "Lamina hasn't sent this form yet. Check again"


@pytest.fixture
def app() -> App:
    app = make_app()
    App.objects.filter(pk=app.pk).update(schema=None, schema_fetched_at=None)
    return app


def url_of_poll(page: str) -> str:
    found = [one.attributes["hx-get"] for one in Page(page).find(id="form-look")]
    return found[0] if found else ""


def test_the_page_stops_after_several_minutes(as_alice: Client, app: App) -> None:
    url, polls = url_of_poll(as_alice.get(f"{app.get_absolute_url()}?preset=x1").text), 0
    page = ""
    while url and polls < 300:
        polls += 1
        page = as_alice.get(url, headers={"HX-Request": "true"}).text
        url = url_of_poll(page)

    assert 50 < polls < 150
    told = Page(page).first(id="form-late")
    assert told.words == LATE
    assert told.first("a").attributes["href"] == f"{app.get_absolute_url()}?preset=x1"
    assert "skeleton" not in page


def test_without_scripts_the_page_stops_refreshing_itself_too(as_alice: Client, app: App) -> None:
    waiting = as_alice.get(f"{app.get_absolute_url()}?look=20&said=s").text
    late = as_alice.get(f"{app.get_absolute_url()}?look=500&said=s").text

    assert 'http-equiv="refresh"' in waiting
    assert 'http-equiv="refresh"' not in late
    assert LATE in Page(late).first(id="form-late").words


def test_a_form_that_came_late_is_shown_all_the_same(as_alice: Client) -> None:
    app = make_app()
    assert 'id="app-form"' in as_alice.get(f"{app.get_absolute_url()}?look=500&said=s").text
