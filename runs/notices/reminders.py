"""Reminders of due decisions: one email each morning for people who owe any, from two days before they are due until
five days after.

Everyone gets a row for each day on which something in the portal is due, even if none of it is theirs: it means that
the day has been checked. So a decision requested later that day doesn't cause an email right away.
"""

from datetime import date, datetime, timedelta

from runs.models import Mail, Member, ReviewItem
from runs.models.review_requests import ReviewItemQuerySet
from runs.notices import choices
from runs.notices.local_time import hour_of_today

BEFORE = timedelta(days=2)
AFTER = timedelta(days=5)
NOON, MORNING = 12, 8  # hours
ANYWHERE = timedelta(days=1)  # how far a local day may be from the UTC day


def make_due(now: datetime) -> None:
    """Create today's reminder for everyone whose hour has come and who owes a verdict."""
    day = now.date()
    if not _around(ReviewItem.objects.undecided(), day - ANYWHERE, day + ANYWHERE).exists():
        return
    done = Mail.objects.filter(sort=Mail.Sort.REMINDER, day__gte=day - ANYWHERE).values_list("member", "day")
    has_row = set(done)
    for member in choices.reminded():
        today, moment = hour_of_today(member, now, _morning_hour(member))
        if moment <= now and (member.pk, today) not in has_row:
            _make(member, today, moment, now)


def _morning_hour(member: Member) -> int:
    """Return the hour of the member's daily email, but no later than the morning: what is due today can't wait
    longer."""
    return member.mail_hour if member.mail_hour < NOON else MORNING


def _make(member: Member, today: date, moment: datetime, now: datetime) -> None:
    """Create the row for `today`. If nothing was due by the member's hour, it is settled at once."""
    owes = owed(member, today).filter(waiting_since__lt=moment, request__created_at__lt=moment).exists()
    Mail.objects.get_or_create(
        member=member,
        sort=Mail.Sort.REMINDER,
        day=today,
        defaults={"due_at": now, "given_up_at": None if owes else now},
    )


def owed(member: Member, today: date) -> ReviewItemQuerySet:
    """Return what is waiting for the member's verdict and due around `today`, earliest first."""
    return _around(ReviewItem.objects.waiting_for(member), today, today)


def _around(items: ReviewItemQuerySet, first: date, last: date) -> ReviewItemQuerySet:
    """Return the `items` that people are reminded of on the days from `first` to `last`."""
    return items.due_between(first - AFTER, last + BEFORE)
