"""Visits to a guest link: the passphrase, and which visits are counted."""

from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.db import OperationalError, connection
from django.test import Client

from runs.models import GuestLink, Member, Run
from runs.sharing import guests, links
from tests.sharing.guest_page import file_paths
from tests.support.clients import client_of
from tests.support.guest_links import path_of

pytestmark = pytest.mark.django_db
BROWSER = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) Version/26.0 Safari/604.1"}


# --- Passphrase -------------------------------------------------------------------------------------------------------
@pytest.fixture
def locked(link: GuestLink) -> GuestLink:
    GuestLink.objects.update(passphrase=make_password("open sesame"))
    link.refresh_from_db()
    return link


def test_the_passphrase_opens_page_and_files_without_a_cookie(locked: GuestLink) -> None:
    client = Client()
    asked = client.get(path_of(locked)).content.decode()
    assert 'name="passphrase"' in asked
    assert "Made for walking." not in asked
    wrong = client.post(path_of(locked), {"passphrase": "open up"})
    assert (wrong.status_code, 'id="wrong"' in wrong.content.decode()) == (403, True)
    page = client.post(path_of(locked), {"passphrase": " open sesame "}).content.decode()
    assert "Made for walking." in page
    path = file_paths(page)[0]
    assert Client().get(path).status_code == 200
    assert Client().get(path.partition("?")[0]).status_code == 403
    assert not client.cookies


def test_a_proof_ends_with_its_passphrase_and_opens_no_other_link(locked: GuestLink, run: Run, alice: Member) -> None:
    page = Client().post(path_of(locked), {"passphrase": "open sesame"}).content.decode()
    path = file_paths(page)[0]
    other = links.make_link(alice, list(run.outputs.all()))
    GuestLink.objects.filter(pk=other.pk).update(passphrase=make_password("another one"))
    assert Client().get(path.replace(path_of(locked), path_of(other))).status_code == 403
    GuestLink.objects.filter(pk=locked.pk).update(passphrase=make_password("open sesame"))
    assert Client().get(path).status_code == 403


def test_guessing_is_slow_and_the_right_one_has_to_wait_too(locked: GuestLink) -> None:
    statuses = [Client().post(path_of(locked), {"passphrase": "no"}).status_code for _ in range(guests.MAX_WRONG + 1)]
    assert (statuses[0], statuses[-1]) == (403, 429)
    stopped = Client().post(path_of(locked), {"passphrase": "open sesame"})
    assert stopped.status_code == 429
    assert f'href="{path_of(locked)}">Try again' in stopped.content.decode()
    elsewhere = Client(REMOTE_ADDR="203.0.113.9")
    assert elsewhere.post(path_of(locked), {"passphrase": "open sesame"}).status_code == 200


# --- Views ------------------------------------------------------------------------------------------------------------
def views(link: GuestLink) -> int:
    link.refresh_from_db()
    return link.views


def test_a_person_is_counted_once_in_a_while(link: GuestLink) -> None:
    for _ in range(3):
        Client().get(path_of(link), headers=BROWSER)
    assert views(link) == 1
    Client(REMOTE_ADDR="203.0.113.9").get(path_of(link), headers=BROWSER)
    assert views(link) == 2
    assert link.viewed_at is not None


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"X-Moz": "prefetch"},
        {"Sec-Fetch-Dest": "image"},
        {"User-Agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"},
        {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"},
        {"User-Agent": "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 SkypeUriPreview Preview/0.5"},
        {"User-Agent": "WhatsApp/2.23.20.0"},
        {"User-Agent": "curl/8.9"},
        {"User-Agent": ""},
    ],
)
def test_robots_and_prefetches_are_not_counted(link: GuestLink, headers: dict[str, str]) -> None:
    Client().get(path_of(link), headers=BROWSER | headers)
    assert views(link) == 0
    assert link.viewed_at is None


def test_a_view_that_cannot_be_saved_still_shows_the_page(link: GuestLink) -> None:
    def full(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith(("INSERT", "UPDATE")):
            raise OperationalError("database or disk is full")
        return execute(sql, *rest)

    with connection.execute_wrapper(full):
        answer = Client().get(path_of(link), headers=BROWSER)
    assert (answer.status_code, "Made for walking." in answer.content.decode()) == (200, True)
    assert views(link) == 0


def test_neither_the_team_nor_a_head_request_is_counted(link: GuestLink, alice: Member, bob: Member) -> None:
    Client().head(path_of(link), headers=BROWSER)
    for member in (alice, bob):
        client_of(member).get(path_of(link), headers=BROWSER)
    assert views(link) == 0


def test_asking_for_the_passphrase_is_no_view_yet(locked: GuestLink) -> None:
    Client().get(path_of(locked), headers=BROWSER)
    assert views(locked) == 0
    Client().post(path_of(locked), {"passphrase": "open sesame"}, headers=BROWSER)
    assert views(locked) == 1
