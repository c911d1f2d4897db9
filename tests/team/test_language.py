"""The language of pages and emails: the one chosen in the settings, otherwise the browser's language."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.core.mail import EmailMessage
from django.test import Client
from django.utils import translation
from pytest_django import Settings

from runs.models import Member
from runs.sharing import links
from runs.team import passwords, security_mail, sessions, views_me
from runs.web import secret_links
from runs.web.body_limits import SMALL_BYTES
from runs.web.secret_links import Purpose
from tests.support.clients import client_of
from tests.support.factories import make_kept, make_run
from tests.support.invites import invite

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

pytestmark = pytest.mark.django_db
GERMAN, FRENCH = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}, {"Accept-Language": "fr"}


def language_of(page: "Response") -> str:
    """Return the language that the page declares to browsers and screen readers."""
    found = re.search(r'<html\s+lang="([\w-]*)"', page.content.decode())
    assert found, page.content
    assert page.headers["Content-Language"] == found[1]
    assert "Accept-Language" in page.headers["Vary"]
    return found[1]


def choose(client: Client, language: str) -> int:
    return client.post("/me/", {"name": "Alice", "theme": "", "language": language}).status_code


# --- Pages


def test_a_chosen_language_is_kept_and_pages_come_in_it(as_alice: Client, alice: Member) -> None:
    assert language_of(as_alice.get("/me/")) == "en"
    assert choose(as_alice, "de") == 302
    alice.refresh_from_db()
    assert alice.language == "de"
    for path in ("/me/", "/history/", "/nowhere/"):
        page = as_alice.get(path)
        assert language_of(page) == "de", path
        assert '<html lang="de"' in page.content.decode(), path
    choose(as_alice, "")
    assert language_of(as_alice.get("/me/")) == "en"


def test_the_next_page_says_in_the_new_language_that_it_is_saved(
    as_alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views_me, "_", lambda words: f"{translation.get_language()}: {words}")
    choose(as_alice, "de")
    assert "de: Your settings" in as_alice.get("/me/").content.decode()
    choose(as_alice, "")
    assert "en: Your settings" in as_alice.get("/me/").content.decode()


def test_an_unknown_language_is_refused(as_alice: Client, alice: Member) -> None:
    choose(as_alice, "de")
    for wrong in ("fr", "de-de", "en\x00", "../de"):
        assert choose(as_alice, wrong) == 422, wrong
    alice.refresh_from_db()
    assert alice.language == "de"


def test_the_browsers_language_counts_without_a_choice(alice: Member) -> None:
    member = client_of(alice)
    assert language_of(member.get("/me/", headers=GERMAN)) == "de"
    assert language_of(member.get("/me/", headers=FRENCH)) == "en"  # the portal isn't available in French
    Member.objects.filter(pk=alice.pk).update(language="en")
    assert language_of(member.get("/me/", headers=GERMAN)) == "en"


def test_one_persons_language_is_not_left_to_the_next(alice: Member, bob: Member) -> None:
    Member.objects.filter(pk=alice.pk).update(language="de")
    assert language_of(client_of(alice).get("/me/")) == "de"
    assert translation.get_language() == "en"
    assert language_of(client_of(bob).get("/me/")) == "en"


def test_guests_and_strangers_get_the_browsers(alice: Member) -> None:
    Member.objects.filter(pk=alice.pk).update(language="en")
    run = make_run(alice, status="completed")
    make_kept(run)
    link = links.make_link(alice, list(run.outputs.all()))
    guest_path = f"/s/{secret_links.token_of(Purpose.GUEST, link.nonce)}/"
    for path in ("/login/", "/invite/nonsense/", "/password/reset/", guest_path, "/s/nonsense/"):
        assert language_of(Client().get(path, headers=GERMAN)) == "de", path
        assert language_of(Client().get(path, headers=FRENCH)) == "en", path


def test_pages_for_when_nothing_else_works_have_a_language_too(
    as_alice: Client, alice: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    too_much = b"username=".ljust(SMALL_BYTES + 1, b"x")
    form = "application/x-www-form-urlencoded"
    answers = {
        400: Client().get("/runs/%00/", headers=GERMAN),
        413: Client().post("/login/", too_much, content_type=form, headers=GERMAN),
        401: Client().post("/me/", too_much, content_type=form, headers=GERMAN),
    }
    Member.objects.filter(pk=alice.pk).update(language="de")
    monkeypatch.setattr("runs.team.views_me.sessions.sessions_of", lambda *_: 1 / 0)
    as_alice.raise_request_exception = False
    answers[500] = as_alice.get("/me/")
    for status, answer in answers.items():
        assert (answer.status_code, language_of(answer)) == (status, "de")


# --- Emails


def send_each(member: Member) -> None:
    security_mail.send_new_browser_mail(member.pk, 0, 1_800_000_000)
    security_mail.send_password_changed_mail(member.pk, 1_800_000_000)
    passwords.send_new_password_mail(member.pk)


@pytest.mark.parametrize(
    ("chosen", "browser", "language"), [("de", "en", "de"), ("en", "de", "en"), ("", "de", "de"), ("", "", "en")]
)
def test_emails_come_in_the_persons_language(
    alice: Member, mailoutbox: list[EmailMessage], chosen: str, browser: str, language: str
) -> None:
    Member.objects.filter(pk=alice.pk).update(language=chosen, browser_language=browser)
    send_each(alice)
    assert [mail.extra_headers["Content-Language"] for mail in mailoutbox] == [language] * 3
    month = {"de": "Januar 2027", "en": "January 2027"}[language]
    assert [month in str(mail.body) for mail in mailoutbox] == [True, True, False]
    assert translation.get_language() == "en"


def test_the_browsers_language_is_remembered_for_emails(alice: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "SEEN_EVERY_SECONDS", 0.0)
    client = client_of(alice)
    client.get("/history/", headers=GERMAN)
    alice.refresh_from_db()
    assert (alice.browser_language, alice.language, alice.mail_language) == ("de", "", "de")
    client.get("/history/", headers={"Accept-Language": "en"})
    alice.refresh_from_db()
    assert alice.mail_language == "en"


def test_an_invite_comes_in_the_language_of_whoever_invites(
    as_admin: Client, admin_member: Member, mailoutbox: list[EmailMessage]
) -> None:
    invite(as_admin, email="kim@acme.example", name="Kim")
    Member.objects.filter(pk=admin_member.pk).update(language="de")
    invite(as_admin, email="lee@acme.example", name="Lee")
    assert [mail.extra_headers["Content-Language"] for mail in mailoutbox] == ["en", "de"]


def test_a_time_in_an_email_names_its_zone(
    make_member: Callable[..., Member], mailoutbox: list[EmailMessage], settings: Settings
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    security_mail.send_password_changed_mail(make_member("kim").pk, 1_800_000_000)
    assert "15 January 2027, 09:00 (Berlin, UTC+1)" in str(mailoutbox[0].body)
