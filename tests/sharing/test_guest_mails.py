"""Emails to guests about replies: who gets one, when, and what it contains."""

import re
from datetime import timedelta

import pytest
from django.core.mail import EmailMultiAlternatives as Sent
from django.db.models import F
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from runs.models import Comment, GuestContact, GuestLink, GuestNotice, Mail, Member, Output
from runs.notices import mails
from runs.review.carry_over import carry_over
from runs.review.comments import edit, post
from runs.review.deciders import Reviewer
from runs.sharing import links
from tests.sharing.guest_mails import KIM, answer, comment_of, make_answered, make_front, to_guests
from tests.sharing.guest_visit import GuestVisit, visit
from tests.support.factories import make_kept, make_run
from tests.support.guest_links import guest_of, path_of
from tests.support.mail_servers import MailServer
from tests.support.notices import send_gathered

pytestmark = pytest.mark.django_db


@pytest.fixture
def front(alice: Member) -> Output:
    return make_front(alice)


@pytest.fixture
def link(alice: Member, front: Output) -> GuestLink:
    return make_answered(alice, front)


def an_hour_later() -> None:
    """Let an hour pass after the last emails, then send what has accumulated."""
    hour = timedelta(minutes=61)
    Mail.objects.update(created_at=F("created_at") - hour, sent_at=F("sent_at") - hour)
    send_gathered()


def version(first: Output, number: int) -> Output:
    run = make_run(first.run.member, first.run.app, status="completed", shared_at=timezone.now())
    made = make_kept(run).output
    Output.objects.filter(pk=made.pk).update(line=first, number=number)
    return Output.objects.get(pk=made.pk)


def test_a_guest_gets_one_email_about_a_reply_that_leads_to_it(
    link: GuestLink, bob: Member, mailoutbox: list[Sent], settings: Settings
) -> None:
    settings.PORTAL_URL = "https://portal.example.com"
    kim = comment_of(link)
    assert "You'll get an email when there's a reply or a new version." in kim.words
    comment_of(link, "Robin", "robin@client.example", "And larger")  # another guest, who gets no reply

    asked = Comment.objects.filter(guest_name="Kim").get()
    for words in ("Done.", "And one more thing."):
        post(Reviewer(member=bob), asked.run, asked.output, words, parent=asked, guests_see=True)
    send_gathered()

    (sent,) = to_guests(mailoutbox)
    assert sent.to == [KIM]
    assert sent.subject == "Bob replied to your comment on “Front”, and 1 more"
    text = str(sent.body)
    assert "Done." not in text
    assert "Kim" not in text  # otherwise, anyone could send a stranger a message by entering it as the name
    (address,) = re.findall(r"https://portal\.example\.com(/s/\S+)", text)
    assert address.endswith("#r1")
    opened = GuestVisit(address).press("me", "r1")
    assert "Done." in opened.box("r1").words
    assert "You're answering as Kim." in opened.words
    assert opened.at == f"{path_of(link)}#r1"


def test_only_what_guests_see_is_told(link: GuestLink, alice: Member, bob: Member, mailoutbox: list[Sent]) -> None:
    comment_of(link)
    hidden = answer(link, bob, guests_see=False)
    send_gathered()
    assert to_guests(mailoutbox) == []
    edit(hidden, Reviewer(member=bob), hidden.text, guests_see=True)
    send_gathered()
    assert [mail.to for mail in to_guests(mailoutbox)] == [[KIM]]
    edit(hidden, Reviewer(member=bob), "Done now.", guests_see=True)
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
    edit(early, Reviewer(member=bob), "Done!", guests_see=True)
    send_gathered()
    assert to_guests(mailoutbox) == []


def test_a_reply_on_another_version_is_told_where_the_guest_sees_it(
    link: GuestLink, front: Output, bob: Member, mailoutbox: list[Sent]
) -> None:
    comment_of(link)
    run = make_run(front.run.member, front.run.app, status="completed", shared_at=timezone.now())
    second = make_kept(run).output  # the link doesn't include this result
    Comment.objects.filter(link=link).update(run=run, output=second, carried_from=front)
    answer(link, bob)
    send_gathered()
    (sent,) = to_guests(mailoutbox)
    opened = GuestVisit(re.findall(r"(/s/\S+)", str(sent.body))[0])
    assert "Done." in opened.press("me", "r1").box("r1").words


def test_those_who_answered_get_an_email_about_the_next_version(
    link: GuestLink, front: Output, alice: Member, mailoutbox: list[Sent]
) -> None:
    kim = visit(link)
    kim.press("approve", "r1").press("", name="Kim", email=KIM)
    comment_of(link, "Lee", "lee@client.example")  # this comment is carried over before the guests see version 2
    GuestContact.objects.create(guest=guest_of(link, "Robin"), email="robin@client.example")
    second, third = version(front, 2), version(front, 3)
    assert carry_over(second, alice) == 1
    assert links.replace_output(link, front, second)
    send_gathered()
    sent = to_guests(mailoutbox)
    assert sorted(mail.to[0] for mail in sent) == [KIM, "lee@client.example"]
    assert {mail.subject for mail in sent} == {"Version 2 of “Front” is ready to view"}

    mailoutbox.clear()
    assert carry_over(third, alice) == 1  # that comment was on version 1, which the link no longer shows
    assert links.replace_output(link, second, third)
    an_hour_later()
    (later,) = to_guests(mailoutbox)
    assert (later.to, later.subject) == (["lee@client.example"], "Version 3 of “Front” is ready to view")


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
    comment_of(link, "Robin", "Kim@client.example")  # another guest enters the same address
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
    mails.MAILS.run()
    assert len(to_guests(mailoutbox)) == 1


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
