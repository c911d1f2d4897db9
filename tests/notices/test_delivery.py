"""Emails to a real mail server that defers, refuses, drops and stalls: each arrives exactly once (N8)."""

from collections.abc import Callable
from email.message import EmailMessage
from itertools import count
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from runs.models import Incident, Lease, Mail, Member, Notice, NoticeKind
from runs.notices import choices, mails, notice_text
from tests.support.mail_servers import DROP, DROP_TAKEN, TAKEN, MailServer, stall
from tests.support.notices import send_gathered, tell, try_again
from tests.support.processes import free_port

pytestmark = pytest.mark.django_db
NO_SUCH_USER = "550 5.1.1 No such user"


def bounce_for(*addresses: str) -> Callable[[str], str]:
    return lambda address: NO_SUCH_USER if address in addresses else TAKEN


@pytest.fixture
def people(make_member: Callable[..., Member]) -> list[Member]:
    return [make_member(f"person{number}") for number in range(9)]


def test_each_arrives_once_whatever_the_server_does_at_first(people: list[Member], mail_server: MailServer) -> None:
    offers = count()
    difficult = ["451 4.3.0 Later", DROP, stall(0.3), TAKEN]

    def answer(_mail: EmailMessage) -> str:
        number = next(offers)
        return difficult[number % 4] if number < 9 else TAKEN

    mail_server.at_data = answer
    for member in people:
        tell(member, NoticeKind.MENTION)
    send_gathered()
    for _ in range(mails.MOST_TRIES):
        try_again()
    assert sorted(mail["To"] for mail in mail_server.mails) == sorted(member.email for member in people)
    assert len(set(mail_server.ids)) == len(people)
    assert not Mail.objects.filter(sent_at=None).exists()


def test_a_server_that_answers_after_the_time_out_has_the_mail_once(
    alice: Member, mail_server: MailServer, settings: Settings
) -> None:
    settings.MAILERS = mail_server.mailers(timeout=0.3)  # the server takes longer than this to accept an email
    mail_server.at_data = lambda _mail: stall(1)
    tell(alice, NoticeKind.MENTION)
    send_gathered()
    assert len(mail_server.mails) == 1
    assert Mail.objects.get().sent_at is not None


def test_tries_end_after_the_fifth_with_growing_pauses_and_an_admin_is_told(
    alice: Member, admin_member: Member, mail_server: MailServer
) -> None:
    choices.choose(admin_member, {NoticeKind.PORTAL: "off"})
    mail_server.at_data = lambda _mail: "451 4.3.0 Full"
    tell(alice, NoticeKind.MENTION)
    send_gathered()
    pauses = []
    for _ in range(mails.MOST_TRIES + 1):
        mail = Mail.objects.get()
        if mail.given_up_at is None:
            pauses.append(round((mail.due_at - timezone.now()).total_seconds() / 60))
        try_again()
    assert pauses == [1, 5, 30, 120]
    mail = Mail.objects.get()
    assert (mail.tries, mail.error) == (5, "451 4.3.0 Full")
    assert mail.given_up_at is not None
    assert mail_server.offered == 5
    tell(alice, NoticeKind.MENTION)
    mail_server.at_data = lambda _mail: "554 5.7.1 Spam"
    send_gathered()
    assert [notice_text.title_of(notice) for notice in Notice.objects.filter(member=admin_member)] == [
        "The portal couldn't deliver an email to Alice and won't try again. The mail server said: “451 4.3.0 Full”"
    ], "once a day, however many there are"


def test_a_mail_that_was_dropped_when_taken_has_the_same_id_again(alice: Member, mail_server: MailServer) -> None:
    mail_server.at_data = lambda _mail: DROP_TAKEN
    tell(alice, NoticeKind.MENTION)
    send_gathered()
    mail_server.at_data = lambda _mail: TAKEN
    try_again()
    assert len(mail_server.mails) == 2
    assert len(set(mail_server.ids)) == 1


@pytest.mark.parametrize(("answer", "arrived"), [("451 4.3.0 Later", 1), (DROP_TAKEN, 1)])
def test_a_daily_mail_never_arrives_twice(alice: Member, mail_server: MailServer, answer: str, arrived: int) -> None:
    choices.choose(alice, {NoticeKind.MENTION: "daily"})
    notice = tell(alice, NoticeKind.MENTION)
    mail = Mail.objects.create(member=alice, sort=Mail.Sort.DAILY, day=timezone.localdate())
    type(notice).objects.update(mail=mail)
    mail_server.at_data = lambda _mail: answer
    mails.MAILS.run()
    mail_server.at_data = lambda _mail: TAKEN
    try_again()
    assert len(mail_server.mails) == arrived


def nobody_there() -> dict[str, Any]:
    options = {"host": "127.0.0.1", "port": free_port()}
    return {"default": {"BACKEND": "runs.team.smtp.EmailBackend", "OPTIONS": options}}


def test_nobody_tries_while_the_server_is_away(people: list[Member], settings: Settings) -> None:
    settings.MAILERS = nobody_there()
    for member in people:
        tell(member, NoticeKind.MENTION)
    send_gathered()
    try_again()
    assert Mail.objects.exclude(error="").count() == 1  # only one email was attempted


def test_waiting_for_a_server_that_is_away_is_no_try(
    alice: Member, mail_server: MailServer, settings: Settings
) -> None:
    reachable, settings.MAILERS = settings.MAILERS, nobody_there()
    tell(alice, NoticeKind.MENTION)
    send_gathered()
    for _ in range(mails.MOST_TRIES + 1):
        Lease.objects.all().delete()  # as if the pause that applies to all emails were over
        try_again()
    assert Mail.objects.get().tries == 0
    settings.MAILERS = reachable
    Lease.objects.all().delete()
    try_again()
    assert len(mail_server.mails) == 1


@pytest.mark.parametrize("refusal", ["550 5.7.1 Not allowed from here", "554 5.7.1 Policy", "550 Relaying denied"])
def test_a_server_that_refuses_the_portal_says_nothing_of_an_address(
    alice: Member, mail_server: MailServer, refusal: str
) -> None:
    mail_server.at_rcpt = lambda _address: refusal
    tell(alice, NoticeKind.MENTION)
    send_gathered()
    alice.refresh_from_db()
    assert alice.bounces == 0
    assert Mail.objects.get().error == refusal
    assert Mail.objects.get().given_up_at is not None


@pytest.mark.parametrize("refusal", [NO_SUCH_USER, "550 No such user", "553 5.1.3 Bad address"])
def test_an_address_that_does_not_exist_bounces(alice: Member, mail_server: MailServer, refusal: str) -> None:
    mail_server.at_rcpt = lambda _address: refusal
    tell(alice, NoticeKind.MENTION)
    send_gathered()
    alice.refresh_from_db()
    assert alice.bounces == 1


def test_after_three_hard_bounces_an_address_is_dead_until_somebody_asks(
    alice: Member, bob: Member, mail_server: MailServer
) -> None:
    mail_server.at_rcpt = bounce_for(alice.email)
    for _ in range(4):
        tell(alice, NoticeKind.MENTION)
        tell(bob, NoticeKind.MENTION)
        send_gathered()
    alice.refresh_from_db()
    assert alice.mail_dead_at is not None
    assert {mail["To"] for mail in mail_server.mails} == {bob.email}
    assert Mail.objects.filter(member=alice).count() == 3
    assert set(Mail.objects.filter(member=alice).values_list("tries", "error")) == {(1, NO_SUCH_USER)}
    assert [incident.text.code for incident in Incident.objects.filter(kind="mail")] == ["mail_dead"]


def test_a_mail_that_arrives_wipes_out_earlier_bounces(alice: Member, mail_server: MailServer) -> None:
    for address in (alice.email, alice.email, "", alice.email):
        mail_server.at_rcpt = bounce_for(address)
        tell(alice, NoticeKind.MENTION)
        send_gathered()
    alice.refresh_from_db()
    assert (alice.bounces, alice.mail_dead_at) == (1, None)
