"""How long a session lasts, what the cookies are called, and which browser features pages turn off."""

import time

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from runs.models import Member
from runs.team import sessions
from runs.web.session_lifetime import STARTED
from tests.support.clients import PASSWORD
from tests.support.sessions import days_left, move_end, row_of

pytestmark = pytest.mark.django_db


def sign_in(member: Member, client: Client | None = None) -> Client:
    client = client or Client()
    answer = client.post("/login/", {"username": member.email, "password": PASSWORD})
    assert answer.status_code == 302
    return client


def hold(client: Client, data: dict[str, object]) -> None:
    """Replace the session's data in the database, and change nothing else."""
    Session.objects.filter(pk=row_of(client).pk).update(session_data=client.session.encode(data))


@pytest.fixture(autouse=True)
def _seen_by_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make each request count as the first in several minutes."""
    monkeypatch.setattr(sessions, "SEEN_EVERY_SECONDS", 0.0)


def test_a_session_lasts_as_long_as_it_is_used(alice: Member, settings: Settings) -> None:
    client = sign_in(alice)
    assert days_left(client) == pytest.approx(14, abs=0.01)
    move_end(client, 2)
    assert client.get("/history/").status_code == 200
    assert days_left(client) == pytest.approx(14, abs=0.01)
    settings.PORTAL_SESSION_IDLE_DAYS = 3
    client.get("/history/")
    assert days_left(client) == pytest.approx(3, abs=0.01)
    move_end(client, 0)
    assert client.get("/history/").status_code == 302


def test_no_one_stays_signed_in_longer_than_thirty_days(alice: Member) -> None:
    client = sign_in(alice)
    hold(client, row_of(client).get_decoded() | {STARTED: int(time.time()) - 29 * 86400})
    move_end(client, 0.5)
    client.get("/history/")
    assert days_left(client) == pytest.approx(1, abs=0.01)
    # the cookie lasts one more day, to prove who sent a form
    assert int(client.cookies["sessionid"]["max-age"]) == 31 * 86400


def test_the_end_is_moved_at_most_once_an_hour(
    alice: Member, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = sign_in(alice)
    client.get("/history/")  # this request also stores the language that the browser asks for
    move_end(client, 14 - 0.9 / 24)
    with django_assert_num_queries(4):  # queries: session, member, last use of the session and by the member
        client.post("/live/")
    move_end(client, 14 - 1.1 / 24)
    with django_assert_num_queries(5):
        client.post("/live/")


@pytest.fixture
def https(settings: Settings) -> None:
    settings.COOKIE_PREFIX = "__Host-"
    settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True


@pytest.mark.usefixtures("https")
def test_over_https_no_neighbour_can_plant_a_cookie(alice: Member) -> None:
    client = Client()
    client.get("/login/")
    sign_in(alice, client)
    client.post("/me/", {"name": "Alice", "theme": ""})  # a cookie now holds the message for the next page
    names = {"__Host-sessionid", "__Host-csrftoken", "__Host-portal_device", "__Host-messages"}
    assert names == set(client.cookies)
    for cookie in client.cookies.values():
        assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "")
    other = Client()
    other.cookies["sessionid"] = client.cookies["__Host-sessionid"].value
    assert other.get("/history/").status_code == 302


def texts_in_the_database() -> set[str]:
    """Return every text in every table."""
    found = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608 - our own tables
            found |= {value for row in cursor.fetchall() for value in row if isinstance(value, str)}
    return found


def test_the_database_holds_no_session_key(alice: Member) -> None:
    client = sign_in(alice)
    change = {"old_password": PASSWORD, "password": "another long password"}
    keys = [client.cookies["sessionid"].value]
    assert client.post("/password/change/", change).status_code == 302  # this changes the key
    keys.append(client.cookies["sessionid"].value)
    assert keys[0] != keys[1]
    assert [text for text in texts_in_the_database() if keys[0] in text or keys[1] in text] == []
    assert "This browser" in client.get("/me/").text


def test_what_stands_in_the_database_signs_nobody_in(alice: Member) -> None:
    row = row_of(sign_in(alice))
    thief = Client()
    thief.cookies["sessionid"] = row.session_key
    assert thief.get("/me/").status_code == 302


def test_a_key_that_someone_else_planted_is_not_taken_over(alice: Member) -> None:
    client = Client()
    client.cookies["sessionid"] = "planted" * 4
    sign_in(alice, client)
    assert client.cookies["sessionid"].value != "planted" * 4
    thief = Client()
    thief.cookies["sessionid"] = "planted" * 4
    assert thief.get("/me/").status_code == 302


def test_pages_turn_off_what_they_do_not_use(as_alice: Client) -> None:
    policy = as_alice.get("/history/").headers["Permissions-Policy"]
    assert {"camera=()", "geolocation=()", "clipboard-read=(self)", "clipboard-write=(self)"} <= set(policy.split(", "))
    assert "Permissions-Policy" not in as_alice.get("/history/", headers={"HX-Request": "true"}).headers
