"""Home's search finds apps and runs: a member's own and shared ones, never other people's private ones."""

import re

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from runs.models import Member
from tests.support.factories import make_app, make_run

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "app-grid"}


@pytest.fixture
def _runs(alice: Member, bob: Member, admin_member: Member) -> None:
    app, now = make_app("Shoe studio"), timezone.now()
    make_run(alice, app, status="completed", title="Alice's red boots")
    make_run(bob, app, status="completed", title="Bob's private red boots")
    make_run(bob, app, status="completed", title="Bob's shared red boots", shared_at=now)
    make_run(admin_member, app, status="completed", title="The admin's red boots")


def found(client: Client, q: str) -> set[str]:
    body = client.get("/apps/", {"q": q, "runs": "1"}, headers=HTMX).content.decode()
    below = body.partition('id="found-runs" hx-swap-oob="true"')[2].partition("</section>")[0]
    above = body.partition('id="found-first"')[2].partition("</section>")[0]
    assert not above or "card-link" not in below  # the runs aren't shown twice
    part = above.partition('class="app-tools"')[0] or below
    titles = re.findall(r'class="card-link"\s+id="card-\w+-link"[^>]*>(.*?)</a>', part)
    assert not titles or "hx-swap-oob" not in part  # the cards arrive together with their section
    return {re.sub(r"</?mark>", "", title).replace("&#x27;", "'") for title in titles}


@pytest.mark.usefixtures("_runs")
def test_own_and_shared_runs_are_found_but_never_others_private_ones(as_alice: Client, as_admin: Client) -> None:
    assert found(as_alice, "boots red") == {"Alice's red boots", "Bob's shared red boots"}
    assert found(as_admin, "boots red") == {"The admin's red boots", "Bob's shared red boots"}
    assert found(as_admin, "private") == set()
    assert found(as_admin, "privat boots") <= {"The admin's red boots", "Bob's shared red boots"}


def test_ones_own_name_finds_only_what_it_is_in(as_alice: Client, alice: Member, bob: Member) -> None:
    app, now = make_app("Studio"), timezone.now()
    make_run(alice, app, status="completed", title="A harbour")
    make_run(alice, app, status="completed", title="Alice in Wonderland")
    make_run(bob, app, status="completed", title="Bridges", shared_at=now)

    assert found(as_alice, "alice") == {"Alice in Wonderland"}
    assert found(as_alice, "bob") == {"Bridges"}


@pytest.mark.usefixtures("_runs")
def test_apps_and_runs_are_found_together(as_alice: Client) -> None:
    home = as_alice.get("/").content.decode()
    assert '<input type="hidden" name="runs" value="1">' in home
    assert 'id="found-runs"' in home

    # submitted as it would be without scripts
    body = as_alice.get("/apps/", {"q": "shoes", "runs": "1"}).content.decode()
    assert body.index('id="app-grid"') < body.index("Matching runs")
    assert home.index('id="app-grid"') < home.index('id="found-runs"')
    assert "<mark>Shoe</mark> studio" in body
    assert 'href="/history/?q=shoes"' in body
    assert 'href="/history/?tab=team&amp;q=shoes"' in body
    assert "Partial matches" in as_alice.get("/apps/", {"q": "red booots", "runs": "1"}).content.decode()

    # when only apps are searched, the page links to the same search of her runs
    for q in ("shoes", "red boots"):
        apps = as_alice.get("/apps/", {"q": q}).content.decode()
        assert 'id="found-' not in apps
        assert f'<a href="/history/?q={q.replace(" ", "%20")}">' in apps
        assert f"Search your runs for “{q}”" in apps


@pytest.mark.usefixtures("_runs")
def test_if_only_runs_match_no_other_apps_stand_before_them(as_alice: Client) -> None:
    def closest(q: str) -> bool:
        return "closest match" in as_alice.get("/apps/", {"q": q, "runs": "1"}).content.decode()

    body = as_alice.get("/apps/", {"q": "red boots", "runs": "1"}).content.decode()
    assert body.index("Matching runs") < body.index('class="app-tools"')
    assert closest("studium")
    assert not closest("red boots")


@pytest.mark.usefixtures("_runs")
def test_a_search_costs_few_queries(as_alice: Client, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_max_num_queries(20):
        as_alice.get("/apps/", {"q": "red boots", "runs": "1"}, headers=HTMX)
