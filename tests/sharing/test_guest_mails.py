"""Emails to guests who are answered: who gets one, what is in it, and how they stop (product.md, share page)."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.mail import EmailMultiAlternatives as Sent
from django.db import connection, transaction
from django.db.models import F
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from runs.models import Comment, Entry, GuestContact, GuestLink, GuestNotice, Mail, Member, Output
from runs.notices import guest_contacts, mails
from runs.review.carry_over import carry_over
from runs.review.comments import edit, post
from runs.review.deciders import Actor
from runs.sharing import links
from tests.sharing.guest_visit import GuestVisit, visit
from tests.support.factories import make_kept, make_run
from tests.support.guest_links import path_of
from tests.support.mail_servers import MailServer
from tests.support.notices import send_gathered, try_again
from tests.support.processes import TIMEOUT_SECONDS

pytestmark = pytest.mark.django_db
KIM = "kim@client.example"


@pytest.fixture
def front(alice: Member) -> Output:
    run = make_run(alice, status="completed", shared_at=timezone.now())
    make_kept(run)
    return run.outputs.get(position=0)


@pytest.fixture
def link(alice: Member, front: Output) -> GuestLink:
    link = links.make_link(alice, [front])
    GuestLink.objects.filter(pk=link.pk).update(lets_decide=True, lets_comment=True)
    return GuestLink.objects.get(pk=link.pk)


def comment_of(link: GuestLink, name: str = "Kim", email: str = KIM, words: str = "Warmer, please") -> GuestVisit:
    """Comment on the link's first result as a guest who is asked for name and email."""
    kim = visit(link)
    return kim.type("r1", words).press("comment", "r1").press("", name=name, email=email)


def to_guests(box: list[Sent]) -> list[Sent]:
    return [mail for mail in box if mail.to[0].endswith("@client.example")]


def an_hour_later() -> None:
    """Let an hour pass since the last emails, then send what has gathered."""
    hour = timedelta(minutes=61)
    Mail.objects.update(created_at=F("created_at") - hour, sent_at=F("sent_at") - hour)
    send_gathered()


def version(first: Output, number: int) -> Output:
    run = make_run(first.run.member, first.run.app, status="completed", shared_at=timezone.now())
    made = make_kept(run).output
    Output.objects.filter(pk=made.pk).update(line=first, number=number)
    return Output.objects.get(pk=made.pk)


def answer(link: GuestLink, by: Member, words: str = "Done.", *, guests_see: bool = True) -> Comment:
    asked = Comment.objects.filter(link=link).latest("pk")
    return post(Actor(member=by), asked.run, asked.output, words, parent=asked, guests_see=guests_see)


def test_a_guest_gets_one_email_about_a_reply_that_leads_to_it(
    link: GuestLink, bob: Member, mailoutbox: list[Sent], settings: Settings
) -> None:
    settings.PORTAL_URL = "https://portal.example.com"
    kim = comment_of(link)
    assert "When there's an answer for you, you'll get an email." in kim.words
    comment_of(link, "Robin", "robin@client.example", "And larger")  # another guest, who isn't answered

    asked = Comment.objects.filter(guest_name="Kim").get()
    for words in ("Done.", "And one more thing."):
        post(Actor(member=bob), asked.run, asked.output, words, parent=asked, guests_see=True)
    send_gathered()

    (sent,) = to_guests(mailoutbox)
    assert sent.to == [KIM]
    assert sent.subject == "Bob replied to your comment on “Front”, and 1 more"
    text = str(sent.body)
    assert "Done." not in text
    assert "Kim" not in text  # anyone could enter someone else's address, with words in place of a name
    (address,) = re.findall(r"https://portal\.example\.com(/s/\S+)", text)
    opened = GuestVisit(address)
    assert "Done." in opened.box("r1").words
    assert "You're answering as Kim." in opened.words
    assert address.endswith("#r1")


def test_only_what_guests_see_is_told(link: GuestLink, alice: Member, bob: Member, mailoutbox: list[Sent]) -> None:
    comment_of(link)
    hidden = answer(link, bob, guests_see=False)
    send_gathered()
    assert to_guests(mailoutbox) == []
    edit(hidden, Actor(member=bob), hidden.text, guests_see=True)
    send_gathered()
    assert [mail.to for mail in to_guests(mailoutbox)] == [[KIM]]
    edit(hidden, Actor(member=bob), "Done now.", guests_see=True)
    an_hour_later()
    assert len(to_guests(mailoutbox)) == 1
    removed = answer(link, alice)
    Comment.objects.filter(pk=removed.pk).update(removed_at=timezone.now())
    an_hour_later()
    assert len(to_guests(mailoutbox)) == 1


def test_a_reply_from_before_the_address_is_not_told_when_it_is_edited(
    link: GuestLink, bob: Member, mailoutbox: list[Sent]
) -> None:
    comment_of(link, email="")
    early = answer(link, bob)
    comment_of(link, words="And larger")
    edit(early, Actor(member=bob), "Done!", guests_see=True)
    send_gathered()
    assert to_guests(mailoutbox) == []


def test_a_reply_on_another_version_is_told_where_the_guest_sees_it(
    link: GuestLink, front: Output, bob: Member, mailoutbox: list[Sent]
) -> None:
    comment_of(link)
    run = make_run(front.run.member, front.run.app, status="completed", shared_at=timezone.now())
    second = make_kept(run).output  # the link doesn't show it
    Comment.objects.filter(link=link).update(run=run, output=second, carried_from=front)
    answer(link, bob)
    send_gathered()
    (sent,) = to_guests(mailoutbox)
    assert "Done." in GuestVisit(re.findall(r"(/s/\S+)", str(sent.body))[0]).box("r1").words


def test_those_who_answered_get_an_email_about_the_next_version(
    link: GuestLink, front: Output, alice: Member, mailoutbox: list[Sent]
) -> None:
    kim = visit(link)
    kim.press("approve", "r1").press("", name="Kim", email=KIM)
    comment_of(link, "Lee", "lee@client.example")  # carried over before the guests see version 2
    GuestContact.objects.create(link=link, guest_name="Robin", guest_key="robin", email="robin@client.example")
    second, third = version(front, 2), version(front, 3)
    assert carry_over(second, alice) == 1
    assert links.replace_output(link, front, second)
    send_gathered()
    sent = to_guests(mailoutbox)
    assert sorted(mail.to[0] for mail in sent) == [KIM, "lee@client.example"]
    assert {mail.subject for mail in sent} == {"Version 2 of “Front” is there for you to see"}

    mailoutbox.clear()
    assert carry_over(third, alice) == 1  # written on version 1, which the link no longer shows
    assert links.replace_output(link, second, third)
    an_hour_later()
    (later,) = to_guests(mailoutbox)
    assert (later.to, later.subject) == (["lee@client.example"], "Version 3 of “Front” is there for you to see")


@pytest.mark.parametrize("end", ["revoked", "expired", "off"])
def test_nothing_is_sent_once_the_link_is_closed(
    link: GuestLink, bob: Member, mailoutbox: list[Sent], as_admin: Client, end: str
) -> None:
    comment_of(link)
    answer(link, bob)
    if end == "off":
        as_admin.post("/manage/sharing/", {"longest_days": "90", "link_makers": "maker"})
    field = {"revoked": "revoked_at", "expired": "expires_at"}.get(end)
    if field:
        GuestLink.objects.filter(pk=link.pk).update(**{field: timezone.now()})
    send_gathered()
    assert to_guests(mailoutbox) == []
    assert not Mail.objects.filter(guest__isnull=False, sent_at=None, given_up_at=None).exists()


def test_an_address_gets_at_most_one_email_an_hour(link: GuestLink, bob: Member, mailoutbox: list[Sent]) -> None:
    comment_of(link)
    answer(link, bob)
    send_gathered()
    answer(link, bob, "And one more thing.")
    comment_of(link, "Robin", "Kim@client.example")  # another name with the same address
    answer(link, bob, "Sure.")
    send_gathered()
    assert len(to_guests(mailoutbox)) == 1
    assert not GuestNotice.objects.filter(mail=None, mail_due_at__lt=timezone.now() + timedelta(minutes=55)).exists()
    an_hour_later()
    assert len(to_guests(mailoutbox)) == 2
    an_hour_later()
    assert len(to_guests(mailoutbox)) == 3


def test_an_email_is_not_sent_again_when_its_row_is_deleted(
    link: GuestLink, bob: Member, mailoutbox: list[Sent]
) -> None:
    comment_of(link)
    answer(link, bob)
    send_gathered()
    Mail.objects.all().delete()
    mails.send_due()
    assert len(to_guests(mailoutbox)) == 1


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
    assert "Check the email address, or leave it empty." in kim.words
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
        GuestContact(link=link, guest_name=f"G{n}", guest_key=f"g{n}", email=f"g{n}@client.example")
        for n in range(guest_contacts.MOST_PER_LINK)
    )
    assert "Too many guests get emails about this page." in comment_of(link).words


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
    assert "Stop these emails?" in Client().get(path).text  # asking changes nothing: mail scanners open links
    assert GuestContact.objects.exists()
    assert "you'll get an email" in kim.open(kim.at).words
    assert "Your address was deleted." in Client(enforce_csrf_checks=True).post(path).text
    assert not GuestContact.objects.exists()
    assert not Mail.objects.filter(guest__isnull=False).exists()
    assert "you'll get an email" not in kim.open(kim.at).words
    assert "you'll get an email" not in kim.type("r1", "And larger").press("comment", "r1").words
    answer(link, bob, "And one more thing.")
    send_gathered()
    assert len(to_guests(mailoutbox)) == 1
    assert "No more emails" in Client().get(path).text


def test_an_old_address_cannot_stop_emails_to_a_new_one(link: GuestLink, bob: Member, mailoutbox: list[Sent]) -> None:
    comment_of(link)
    answer(link, bob)
    send_gathered()
    path = path_to_stop(*to_guests(mailoutbox))
    comment_of(link)  # with the same address again
    assert "Stop these emails?" in Client().get(path).text
    comment_of(link, email="kim.lee@client.example")
    assert "No more emails" in Client().post(path).text
    assert GuestContact.objects.get().email == "kim.lee@client.example"


def path_to_stop(sent: Sent) -> str:
    return "/" + str(sent.extra_headers["List-Unsubscribe"]).strip("<>").split("/", 3)[3]


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


def test_an_email_that_waits_for_the_server_is_the_only_one(link: GuestLink, bob: Member, settings: Settings) -> None:
    with MailServer() as server:
        settings.MAILERS = server.mailers()
        server.at_rcpt = lambda address: f"450 4.2.0 {KIM} is busy" if address == KIM else "250 OK"
        comment_of(link)
        answer(link, bob)
        send_gathered()
        later = answer(link, bob, "And one more thing.")
        an_hour_later()
    assert [row.sent_at for row in Mail.objects.filter(guest__isnull=False)] == [None]
    put_off = GuestNotice.objects.filter(mail=None, mail_due_at__gt=timezone.now() + timedelta(minutes=55))
    assert put_off.get().comment == later


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
                stopped.wait(0.5)  # waits in vain: whoever stops has to wait for this transaction
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
