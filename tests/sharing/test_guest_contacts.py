"""The addresses of guests who want emails: which are accepted, who sees them, and how they are deleted."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.mail import EmailMultiAlternatives as Sent
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from runs.models import Comment, Entry, GuestContact, GuestLink, Mail, Member
from runs.notices import guest_contacts, mails
from runs.review.same_person import make_one
from tests.sharing.guest_mails import KIM, answer, comment_of, make_answered, make_front, to_guests
from tests.sharing.guest_visit import visit
from tests.support.guest_links import guest_of, path_of
from tests.support.mail_servers import MailServer
from tests.support.notices import send_gathered, try_again
from tests.support.processes import TIMEOUT_SECONDS

pytestmark = pytest.mark.django_db


@pytest.fixture
def link(alice: Member) -> GuestLink:
    return make_answered(alice, make_front(alice))


def path_to_stop(sent: Sent) -> str:
    return "/" + str(sent.extra_headers["List-Unsubscribe"]).strip("<>").split("/", 3)[3]


@pytest.mark.parametrize(
    "email",
    [
        "kim",
        "kim@client.example, robin@client.example",
        "kim@client.example\r\nBcc: all@client.example",
        "Kim <kim@client.example>",
        "kim@[127.0.0.1]",
        "kim@localhost",
        f"{'k' * 250}@client.example",
    ],
)
def test_what_is_no_address_is_refused_without_losing_a_word(link: GuestLink, email: str) -> None:
    kim = comment_of(link, email=email)
    assert kim.status == 422
    assert "Check the email address, or leave the field empty." in kim.words
    assert not Comment.objects.exists()
    kim.press("", name="Kim", email=KIM)
    assert Comment.objects.get().text == "Warmer, please"
    assert GuestContact.objects.get().email == KIM


def test_without_a_mail_server_nothing_is_asked(link: GuestLink, settings: Settings) -> None:
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.console.EmailBackend"}}
    kim = visit(link)
    kim.type("r1", "Warmer").press("comment", "r1")
    assert 'name="email"' not in kim.answer.text
    kim.press("", name="Kim", email=KIM)
    assert Comment.objects.exists()
    assert not GuestContact.objects.exists()


def test_one_link_takes_only_so_many_addresses(link: GuestLink) -> None:
    GuestContact.objects.bulk_create(
        GuestContact(guest=guest_of(link, f"G{n}"), email=f"g{n}@client.example")
        for n in range(guest_contacts.MOST_PER_LINK)
    )
    assert "Too many guests already get emails about this page." in comment_of(link).words


def test_the_address_is_in_no_page_record_sheet_or_url(
    link: GuestLink, bob: Member, as_alice: Client, as_admin: Client
) -> None:
    kim = comment_of(link)
    assert KIM not in kim.at
    assert KIM not in kim.answer.text
    GuestLink.objects.filter(pk=link.pk).update(may_download=True, shows_comments=True)
    packed = b"".join(Client().get(f"{path_of(link)}download/"))
    pages = [as_alice.get(path).text for path in (f"/shares/{link.public_id}/", "/shares/", "/inbox/", "/history/")]
    pages += [as_admin.get(path).text for path in ("/manage/sharing/", "/manage/log/", "/manage/notices/")]
    pages += [b"".join(as_admin.get("/manage/log/csv/")).decode(), packed.decode("latin-1")]
    pages += [str(list(Entry.objects.values())), comment_of(link, "Robin", "", "Me too").answer.text]
    assert not [page for page in pages if KIM in page]


def test_a_guest_stops_the_emails_by_a_form(link: GuestLink, bob: Member, mailoutbox: list[Sent]) -> None:
    kim = comment_of(link)
    answer(link, bob)
    send_gathered()
    (sent,) = to_guests(mailoutbox)
    path = path_to_stop(sent)
    assert path in str(sent.body)
    assert "Stop these emails?" in Client().get(path).text  # this page changes nothing, since mail scanners open links
    assert GuestContact.objects.exists()
    assert "You'll get an email" in kim.reload().words
    assert "Your address was deleted." in Client(enforce_csrf_checks=True).post(path).text
    assert not GuestContact.objects.exists()
    assert not Mail.objects.filter(guest__isnull=False).exists()
    assert "You'll get an email" not in kim.reload().words
    assert "You'll get an email" not in kim.type("r1", "And larger").press("comment", "r1").words
    answer(link, bob, "And one more thing.")
    send_gathered()
    assert len(to_guests(mailoutbox)) == 1
    assert "No more emails" in Client().get(path).text


def test_an_old_address_cannot_stop_emails_to_a_new_one(link: GuestLink, bob: Member, mailoutbox: list[Sent]) -> None:
    comment_of(link)
    answer(link, bob)
    send_gathered()
    path = path_to_stop(*to_guests(mailoutbox))
    comment_of(link, email="kim.lee@client.example")
    assert "Stop these emails?" in Client().get(path).text
    first, second = link.guests.all()
    make_one(link, first.public_id, second.public_id)
    assert "No more emails" in Client().post(path).text
    assert GuestContact.objects.get().email == "kim.lee@client.example"


def test_an_address_that_does_not_exist_is_forgotten(link: GuestLink, bob: Member, settings: Settings) -> None:
    with MailServer() as server:
        settings.MAILERS = server.mailers()
        comment_of(link)
        server.at_rcpt = lambda address: f"450 4.2.0 {KIM} is busy" if address == KIM else "250 OK"
        answer(link, bob)
        send_gathered()
        assert [(row.tries, row.error) for row in Mail.objects.filter(guest__isnull=False)] == [(1, "")]
        server.at_rcpt = lambda address: "550 5.1.1 No such user" if address == KIM else "250 OK"
        try_again()
        assert not GuestContact.objects.exists()
        server.at_rcpt = lambda _address: "250 OK"
        try_again()
        assert not [mail for mail in server.mails if KIM in str(mail["To"])]


@pytest.mark.django_db(transaction=True)
def test_a_guest_may_stop_while_their_email_bounces(link: GuestLink, bob: Member, settings: Settings) -> None:
    def stop() -> None:
        try:
            GuestContact.objects.all().delete()
        finally:
            connection.close()

    with MailServer() as server, ThreadPoolExecutor() as pool:

        def refuse(address: str) -> str:
            if address != KIM:
                return "250 OK"
            pool.submit(stop).result(TIMEOUT_SECONDS)
            return "550 5.1.1 No such user"

        server.at_rcpt = refuse
        settings.MAILERS = server.mailers(TIMEOUT_SECONDS)
        comment_of(link)
        answer(link, bob)
        send_gathered()
    assert not GuestContact.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_reply_and_a_stop_at_once_do_no_harm(link: GuestLink, bob: Member) -> None:
    comment_of(link)
    told, stopped = threading.Event(), threading.Event()

    def reply() -> None:
        try:
            with transaction.atomic():
                answer(link, bob)
                told.set()
                stopped.wait(0.5)  # always times out, since `forget` has to wait for this transaction
        finally:
            connection.close()

    with ThreadPoolExecutor() as pool:
        replying = pool.submit(reply)
        assert told.wait(TIMEOUT_SECONDS)
        guest_contacts.forget(GuestContact.objects.get())
        stopped.set()
        replying.result()
    assert Comment.objects.filter(member=bob).exists()
    assert not GuestContact.objects.exists()


def test_addresses_are_deleted_some_time_after_the_link_has_ended(link: GuestLink) -> None:
    comment_of(link)
    GuestLink.objects.filter(pk=link.pk).update(expires_at=timezone.now() - timedelta(days=29))
    mails.tidy(timezone.now())
    assert GuestContact.objects.exists()
    mails.tidy(timezone.now() + timedelta(days=2))
    assert not GuestContact.objects.exists()
