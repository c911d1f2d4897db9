"""Emails about accounts, sent by a real worker to a real mail server on loopback, and who doesn't get any."""

import re
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import requests
from aiosmtpd.controller import Controller
from django.core.mail import EmailMessage as Mail
from django.test import Client
from pytest_django import Settings

from runs.models import BrowserSession, Member
from runs.team import passwords, security_mail
from tests.support import web_servers
from tests.support.clients import PASSWORD
from tests.support.invites import invite, join, path_of
from tests.support.processes import TIMEOUT_SECONDS, Home, free_port, wait_until

NEW = "another long password"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


class Mailbox:
    """Stores the emails that a server received."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    def wait_for(self, subject: str) -> EmailMessage:
        def found() -> EmailMessage | None:
            return next((mail for mail in self.mails if subject in mail["Subject"]), None)

        mail = wait_until(found, f"a mail “{subject}”", web_servers.MANY_SECONDS)
        assert mail is not None
        return mail


@pytest.fixture
def mail_server() -> Iterator[tuple[Mailbox, str]]:
    """Start a mail server on loopback; yield its mailbox and EMAIL_URL."""
    mailbox = Mailbox()
    port = free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield mailbox, f"smtp://127.0.0.1:{port}"
    controller.stop()


def post(session: requests.Session, url: str, form: dict[str, str]) -> requests.Response:
    return session.post(url, form | {"csrfmiddlewaretoken": session.cookies["csrftoken"]}, timeout=TIMEOUT_SECONDS)


@pytest.mark.whole
def test_the_worker_mails_a_new_browser_and_a_changed_password(
    tmp_path: Path, mail_server: tuple[Mailbox, str]
) -> None:
    mailbox, email_url = mail_server
    port, nobody = free_port(), f"http://127.0.0.1:{free_port()}"  # this test doesn't need Lamina
    home = Home(tmp_path, EMAIL_URL=email_url, PORTAL_URL=f"http://127.0.0.1:{port}", LAMINA_BASE_URL=nobody)
    web_servers.prepare(home)
    try:
        home.start("worker")
        with web_servers.gunicorn(home, port) as url:
            change_password_in_a_new_browser(mailbox, url)
    finally:
        home.end_all()
    assert len(mailbox.mails) == 2


def change_password_in_a_new_browser(mailbox: Mailbox, url: str) -> None:
    session = requests.Session()
    session.headers["User-Agent"] = FIREFOX
    session.get(f"{url}/login/", timeout=TIMEOUT_SECONDS)
    post(session, f"{url}/login/", {"username": "sam@example.com", "password": "demo"})
    mail = mailbox.wait_for("New sign-in")
    assert mail["To"] == "sam@example.com"
    assert mail.get_content_type() == "text/plain"
    assert "Firefox on Windows" in mail.get_content()
    assert f"{url}/me/#places" in mail.get_content()

    session.get(f"{url}/me/", timeout=TIMEOUT_SECONDS)
    answer = post(session, f"{url}/password/change/", {"old_password": "demo", "password": NEW})
    assert "Your password was changed" in answer.text
    text = mailbox.wait_for("password for Lamina Portal was changed").get_content()
    assert f"{url}/password/reset/" in text.splitlines()
    assert NEW not in text


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[int, ...]]]:
    """Collect the tasks that are queued for the worker, with their arguments."""
    tasks: list[tuple[str, tuple[int, ...]]] = []
    monkeypatch.setattr("runs.team.security_mail.enqueue", lambda task, *args: tasks.append((task, args)))
    return tasks


def names(queued: list[tuple[str, tuple[int, ...]]]) -> list[str]:
    return [task.rpartition(".")[2] for task, _ in queued]


def sign_in(client: Client, member: Member, password: str = PASSWORD) -> None:
    client.post("/login/", {"username": member.email, "password": password})


@pytest.mark.django_db
def test_a_browser_is_new_once_for_each_person(
    alice: Member, bob: Member, queued: list[tuple[str, tuple[int, ...]]]
) -> None:
    browser = Client()
    for member in (alice, alice, bob, alice):
        sign_in(browser, member)
        browser.post("/logout/")
    assert [args[0] for _, args in queued] == [alice.pk, bob.pk]
    sign_in(Client(), alice, "wrong")
    assert len(queued) == 2
    # all arguments are numbers, so none is a secret link
    assert all(isinstance(arg, int) for _, args in queued for arg in args)


@pytest.mark.django_db
def test_a_link_that_sets_a_password_sends_one_email_and_an_invite_none(
    as_admin: Client, alice: Member, queued: list[tuple[str, tuple[int, ...]]]
) -> None:
    join(path_of(invite(as_admin)))
    assert queued == []
    path = "/password" + passwords.new_password_address(alice, passwords.BY_HAND).partition("/password")[2]
    Client().post(path, {"password": "short"})
    assert queued == []
    Client().post(path, {"password": NEW})
    assert names(queued) == ["send_password_changed_mail"]


@pytest.mark.django_db
def test_without_a_mail_server_nothing_is_queued(
    alice: Member, settings: Settings, queued: list[tuple[str, tuple[int, ...]]]
) -> None:
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.console.EmailBackend"}}
    browser = Client()
    sign_in(browser, alice)
    browser.post("/password/change/", {"old_password": PASSWORD, "password": NEW})
    assert queued == []


@pytest.mark.django_db
@pytest.mark.parametrize("send", [security_mail.send_new_browser_mail, security_mail.send_password_changed_mail])
def test_someone_who_can_no_longer_sign_in_gets_none(
    alice: Member, mailoutbox: list[Mail], send: Callable[..., None]
) -> None:
    Member.objects.filter(pk=alice.pk).update(is_active=False)
    send(alice.pk, *([0, 0] if "browser" in send.__name__ else [0]))
    assert mailoutbox == []


@pytest.mark.django_db
def test_no_admin_is_told_to_tell_an_admin(alice: Member, admin_member: Member, mailoutbox: list[Mail]) -> None:
    for member in (alice, admin_member):
        security_mail.send_password_changed_mail(member.pk, 1_800_000_000)
    assert ["tell an admin" in str(mail.body) for mail in mailoutbox] == [True, False]


@pytest.mark.django_db
def test_signing_out_at_once_hides_nothing(alice: Member, mailoutbox: list[Mail], settings: Settings) -> None:
    settings.TIME_ZONE = "UTC"
    browser = Client(headers={"User-Agent": FIREFOX})
    sign_in(browser, alice)
    row = BrowserSession.objects.get()
    security_mail.send_new_browser_mail(alice.pk, row.pk, 1_800_000_000)
    browser.post("/logout/")
    security_mail.send_new_browser_mail(alice.pk, row.pk, 1_800_000_000)
    first, second = (re.sub(r"\s+", " ", str(mail.body)) for mail in mailoutbox)
    assert "on 15 January 2027, 08:00 (UTC)" in first
    assert "Firefox on Windows" in first
    assert "Unknown browser" in second
