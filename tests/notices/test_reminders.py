"""Reminders about decisions that are due: one email each morning, from two days before the due date until five days
after it."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.core.mail import EmailMultiAlternatives as Sent

from runs.models import Decision, Member, Output, ReviewItem, ReviewRequest, Run
from runs.notices import choices, mails
from tests.support.factories import make_run

pytestmark = pytest.mark.django_db
DUE = date(2025, 2, 10)
ASKED = datetime(2025, 2, 1, 12, tzinfo=UTC)


@pytest.fixture
def sam(make_member: Callable[..., Member]) -> Member:
    return make_member("sam", role="approver", time_zone="Europe/Berlin")


@pytest.fixture
def tess(make_member: Callable[..., Member]) -> Member:
    return make_member("tess", role="approver", time_zone="Europe/Berlin")


@pytest.fixture
def run(alice: Member) -> Run:
    return make_run(alice, status="completed", title="Oak desk", shared_at=ASKED)


def ask(run: Run, *members: Member, at: datetime = ASKED, due: date = DUE) -> None:
    request = ReviewRequest.objects.create(asker=run.member, audience="named", due_on=due, created_at=at)
    request.members.set(members)
    for output in run.outputs.all():
        ReviewItem.objects.create(
            request=request, output=output, position=output.position, due_on=due, waiting_since=at
        )


def approve(output: Output, by: Member) -> None:
    Decision.objects.create(
        output=output, content_hash=output.content_hash, member=by, verdict="approved", is_standing=True
    )


def look(day: date, hour: int = 7) -> None:
    """Send the emails that are due at `hour` (UTC) and half an hour later."""
    for minute in (0, 30):
        with time_machine.travel(datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC), tick=False):
            mails.request_daily()
            mails.MAILS.run()


def days_around(first: int, last: int) -> list[date]:
    return [DUE + timedelta(days=number) for number in range(first, last + 1)]


def test_whoever_gets_the_daily_mail_in_the_evening_is_reminded_in_the_morning(
    run: Run, sam: Member, mailoutbox: list[Sent]
) -> None:
    Member.objects.filter(pk=sam.pk).update(mail_hour=18)
    ask(run, sam)
    look(DUE, 6)
    assert mailoutbox == []
    look(DUE)
    assert len(mailoutbox) == 1


def test_one_mail_a_morning_from_two_days_before_to_five_after(run: Run, sam: Member, mailoutbox: list[Sent]) -> None:
    ask(run, sam)
    ReviewItem.objects.filter(position=1).update(due_on=date.min)  # as if this item had switched to a new version
    reminded: list[date] = []
    for day in days_around(-4, 7):
        look(day, 6)  # seven in the morning in Berlin: too early
        look(day)
        reminded += [day] if len(mailoutbox) > len(reminded) else []
    assert reminded == days_around(-2, 5)
    assert len(mailoutbox) == 8
    first = mailoutbox[0]
    assert first.to == [sam.email]
    assert first.subject == "2 decisions are due soon"
    assert "from Oak desk: due in 2 days" in str(first.body)
    assert "1 day overdue" in str(mailoutbox[3].body)


def test_only_who_owes_a_verdict_and_until_they_have_decided(
    run: Run, sam: Member, tess: Member, mailoutbox: list[Sent]
) -> None:
    ask(run, sam, tess)
    for output in run.outputs.all():
        approve(output, tess)
    look(DUE)
    assert [mail.to for mail in mailoutbox] == [[sam.email]]
    approve(run.outputs.all()[0], sam)
    look(DUE + timedelta(days=1))
    assert mailoutbox[1].subject == "1 decision is due soon"
    approve(run.outputs.all()[1], sam)
    look(DUE + timedelta(days=2))
    assert len(mailoutbox) == 2


def test_a_request_of_today_waits_for_tomorrow_morning(run: Run, sam: Member, mailoutbox: list[Sent]) -> None:
    ask(run, sam, at=datetime(2025, 2, 9, 12, tzinfo=UTC))
    look(date(2025, 2, 9), 14)
    assert mailoutbox == []
    look(DUE)
    assert len(mailoutbox) == 1


def test_who_lost_the_run_or_wants_no_reminders_gets_none(
    run: Run, sam: Member, tess: Member, mailoutbox: list[Sent]
) -> None:
    ask(run, sam, tess)
    choices.turn_off(tess, [choices.REMINDER])
    Run.objects.update(shared_at=None)
    look(DUE)
    assert mailoutbox == []
    Run.objects.update(shared_at=ASKED)
    look(DUE + timedelta(days=1))
    assert [mail.to for mail in mailoutbox] == [[sam.email]]


def test_its_day_is_that_of_the_reader_in_their_language(run: Run, sam: Member, mailoutbox: list[Sent]) -> None:
    Member.objects.filter(pk=sam.pk).update(time_zone="Pacific/Auckland", language="de")
    ask(run, sam)
    look(DUE - timedelta(days=1), 19)  # eight in the morning on the due day in Auckland
    assert mailoutbox[0].subject == "2 Entscheidungen sind bald fällig"
    assert "aus Oak desk: heute fällig" in str(mailoutbox[0].body)


def test_it_comes_at_the_hour_of_the_person(run: Run, sam: Member, mailoutbox: list[Sent]) -> None:
    Member.objects.filter(pk=sam.pk).update(mail_hour=10, time_zone="America/New_York")
    ask(run, sam)
    look(DUE, 14)
    assert mailoutbox == []
    look(DUE, 15)
    assert len(mailoutbox) == 1
