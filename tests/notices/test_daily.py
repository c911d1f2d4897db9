"""Daily emails (N4): sent once a day at a fixed hour in the reader's time zone, even when the clocks change, and only
if there's something new."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.mail import EmailMultiAlternatives as Sent
from django.utils import timezone

from runs import tasks
from runs.models import Mail, Member, Notice, NoticeKind
from runs.notices import choices, mails
from tests.support.factories import make_run
from tests.support.notices import send_gathered, tell

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def alice(alice: Member) -> Member:
    alice.time_zone = "Europe/Berlin"
    alice.save()
    choices.choose(alice, {NoticeKind.MENTION: "daily"})
    return alice


def at(text: str) -> time_machine.travel:
    return time_machine.travel(datetime.fromisoformat(text).replace(tzinfo=UTC), tick=False)


def look() -> None:
    mails.request_daily()
    mails.MAILS.run()


def sent_between(member: Member, first: str, last: str) -> list[str]:
    """Notify `member` once a day, check for due emails every half hour, and return the times (UTC) at which emails were
    sent."""
    now, end = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (first, last))
    while now < end:
        with time_machine.travel(now, tick=False):
            if now.hour == 20 and not now.minute:
                tell(member, NoticeKind.MENTION, event=f"day-{now:%d}")
            look()
        now += timedelta(minutes=30)
    sent = Mail.objects.exclude(sent_at=None).order_by("sent_at").values_list("sent_at", flat=True)
    return [f"{moment:%d %H:%M}" for moment in sent if moment]


@pytest.mark.parametrize(
    ("hour", "first", "last", "moments"),
    [
        # Summer time began on 30 March 2025, when 02:00 became 03:00, and ended on 26 October 2025 at 03:00.
        (8, "2025-03-28 12:00", "2025-03-31 12:00", ["29 07:00", "30 06:00", "31 06:00"]),
        (2, "2025-03-28 12:00", "2025-03-31 12:00", ["29 01:00", "30 01:00", "31 00:00"]),
        (2, "2025-10-24 12:00", "2025-10-27 12:00", ["25 00:00", "26 00:00", "27 01:00"]),
    ],
)
def test_it_comes_at_the_hour_of_the_person_whatever_the_clock_does(
    alice: Member, mailoutbox: list[Sent], hour: int, first: str, last: str, moments: list[str]
) -> None:
    Member.objects.filter(pk=alice.pk).update(mail_hour=hour)
    assert sent_between(alice, first, last) == moments
    assert len(mailoutbox) == 3


def test_what_happens_after_the_hour_waits_for_the_next_day(alice: Member, mailoutbox: list[Sent]) -> None:
    run = make_run(alice, title="Oak desk")
    with at("2025-02-01 06:00"):
        tell(alice, NoticeKind.MENTION, run)
    with at("2025-02-01 12:00"):  # the worker was down at seven in the morning
        look()
        tell(alice, NoticeKind.MENTION, run)
        look()
    assert len(mailoutbox) == 1
    with at("2025-02-02 07:00"):
        look()
        look()
    assert len(mailoutbox) == 2
    assert [mail.subject for mail in mailoutbox] == ["Your daily email: 1 notice"] * 2
    assert "Oak desk" in str(mailoutbox[1].body)


def test_a_day_is_never_mailed_twice_even_if_the_zone_changes(alice: Member, mailoutbox: list[Sent]) -> None:
    with at("2025-02-01 06:00"):
        tell(alice, NoticeKind.MENTION)
    with at("2025-02-01 07:00"):
        look()
        tell(alice, NoticeKind.MENTION)
    Member.objects.filter(pk=alice.pk).update(time_zone="America/New_York")
    with at("2025-02-01 13:30"):
        look()
    assert len(mailoutbox) == 1


def test_without_news_there_is_none(alice: Member, mailoutbox: list[Sent]) -> None:
    with at("2025-02-01 06:00"):
        tell(alice, NoticeKind.MENTION)
        Notice.objects.update(read_at=datetime.now(UTC))
    with at("2025-02-01 07:00"):
        look()
    assert mailoutbox == []
    assert not Mail.objects.exists()


def test_no_event_is_in_a_single_mail_and_in_the_daily_one(alice: Member, mailoutbox: list[Sent]) -> None:
    with at("2025-02-01 06:00"):
        tell(alice, NoticeKind.MENTION)
        tell(alice, NoticeKind.REPLY)
        send_gathered()
    with at("2025-02-01 07:00"):
        look()
    assert [str(mail.body).count("- ") for mail in mailoutbox] == [1, 1]


def test_the_workers_pulse_and_sweep_look_for_due_mails(alice: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    queued: list[str] = []
    monkeypatch.setattr("runs.background.due_work.enqueue_long", lambda task, **_: queued.append(task))
    Member.objects.filter(pk=alice.pk).update(mail_hour=0)
    tell(alice, NoticeKind.MENTION, created_at=timezone.now() - timedelta(days=2))
    tasks.pulse()
    assert list(Mail.objects.values_list("sort", flat=True)) == [Mail.Sort.DAILY]
    tasks.sweep()
    assert queued == ["send_mails"]
