"""Stars on runs and results, shared by the team. A run knows whether it or one of its results has a star."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from runs.models import App, Member, Output, Run
from tests.support.clients import HTMX, client_of
from tests.support.factories import make_app, make_run
from tests.support.page import Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def shared(alice: Member) -> Run:
    return make_run(alice, status="completed", shared_at=timezone.now())


def output_of(run: Run) -> Output:
    return run.outputs.all()[0]


def test_a_star_says_whose_it_is_and_a_double_click_is_harmless(as_bob: Client, shared: Run, bob: Member) -> None:
    for _ in range(2):
        answer = as_bob.post(shared.star_url, {"on": "1", "label": "Cartoonify!"}, headers=HTMX)

    shared.refresh_from_db()
    assert (shared.starred_by, shared.has_star) == (bob, True)
    assert 'aria-pressed="true"' in answer.text
    assert "Bob" in answer.text
    assert 'name="on" value="0"' in answer.text
    assert "<form" not in answer.text


def test_a_star_that_is_there_stays_its_givers(as_bob: Client, as_alice: Client, shared: Run, alice: Member) -> None:
    as_alice.post(shared.star_url, {"on": "1"})
    as_bob.post(shared.star_url, {"on": "1"})

    shared.refresh_from_db()
    assert shared.starred_by == alice


def test_a_run_has_a_star_while_it_or_a_result_has_one(as_alice: Client, shared: Run) -> None:
    output = output_of(shared)

    def press(url: str, on: str) -> bool:
        as_alice.post(url, {"on": on})
        shared.refresh_from_db()
        return shared.has_star

    assert press(output.star_url, "1")
    assert press(shared.star_url, "1")
    assert press(output.star_url, "0")
    assert not press(shared.star_url, "0")
    assert press(output.star_url, "1")
    assert not press(output.star_url, "0")


def test_without_scripts_one_comes_back_to_the_page_one_was_on(as_alice: Client, shared: Run) -> None:
    url = shared.star_url

    here = as_alice.post(url, {"on": "1"}, headers={"Referer": "http://testserver/history/?q=a"})
    elsewhere = as_alice.post(url, {"on": "1"}, headers={"Referer": "https://evil.test/"})

    assert here["Location"] == f"http://testserver/history/?q=a#star-{shared.public_id}"
    assert elsewhere["Location"] == f"{shared.get_absolute_url()}#star-{shared.public_id}"


def test_viewers_see_stars_and_give_none(make_member: Callable[..., Member], shared: Run) -> None:
    as_viewer = client_of(make_member("vera", role="viewer"))

    assert as_viewer.post(shared.star_url, {"on": "1"}).status_code == 403
    assert as_viewer.post(output_of(shared).star_url, {"on": "1"}).status_code == 403
    shared.refresh_from_db()
    assert not shared.has_star


def names_listed(client: Client, **query: str) -> list[str]:
    """Return the names of the apps that the page of apps lists first."""
    return [card.name for card in client.get("/apps/", query).context["apps"]]


def test_the_star_of_an_app_leads_to_the_page_of_apps(as_alice: Client, as_bob: Client) -> None:
    shoes = make_app("Shoe studio", makes={"image": 1}, makes_text=" image ")
    make_app("Bag studio", makes={"image": 1}, makes_text=" image ")
    reel = make_app("Reel", makes={"video": 1}, makes_text=" video ")
    for app in (reel, shoes):
        as_bob.post(app.star_url, {"on": "1"})

    page = Page(as_alice.get("/apps/").text)
    chip = next(link for link in page.root.find("a", css="chip") if link.words == "Starred")

    assert names_listed(as_alice) == ["Bag studio", "Reel", "Shoe studio"]
    assert chip.attributes["href"] == "/apps/?starred=1"
    assert names_listed(as_alice, starred="1") == ["Reel", "Shoe studio"]
    assert names_listed(as_alice, starred="1", makes="video") == ["Reel"]
    assert names_listed(as_alice, starred="1", q="studio") == ["Shoe studio"]
    cards = page.root.find("article", css="app-card")
    assert ["Starred by Bob" in card.words for card in cards] == [False, True, True]
    App.objects.update(starred_at=None, starred_by=None)
    assert "No app has a star yet" in as_alice.get("/apps/?starred=1").text
    assert "No starred apps match" in as_alice.get("/apps/?starred=1&q=studio").text
