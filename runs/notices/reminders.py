"""Reminders of due decisions: one email each morning to everyone who owes a decision.

Reminders start two days before the due date and end five days after it. If anything in the portal is due, everyone who
wants reminders gets a row for the day, even if they owe nothing themselves. The row means that the day has been checked
for them, so a decision requested later that day doesn't trigger an email right away.
"""

from datetime import date, datetime, timedelta

from runs.models import Mail, Member, ReviewItem
from runs.models.review_requests import ReviewItemQuerySet
from runs.notices import choices
from runs.notices.local_time import hour_of_today

BEFORE = timedelta(days=2)
AFTER = timedelta(days=5)
NOON, MORNING = 12, 8  # hours of the day
ANYWHERE = timedelta(days=1)  # a local date differs from the UTC date by at most this much


def make_due(now: datetime) -> None:
    """Create today's reminder for everyone who owes a verdict and whose hour for reminders has passed."""
    day = now.date()
    if not _around(ReviewItem.objects.undecided(), day - ANYWHERE, day + ANYWHERE).exists():
        return
    days = Mail.objects.filter(sort=Mail.Sort.REMINDER, day__gte=day - ANYWHERE).values_list("member", "day")
    has_row = set(days)
    for member in choices.reminded():
        today, moment = hour_of_today(member, now, _morning_hour(member))
        if moment <= now and (member.pk, today) not in has_row:
            _make(member, today, moment, now)


def _morning_hour(member: Member) -> int:
    """Return the hour when the member gets reminders: the hour of their daily email, or 8:00 if that is noon or later,
    because decisions due today can't wait that long."""
    return member.mail_hour if member.mail_hour < NOON else MORNING


def _make(member: Member, today: date, moment: datetime, now: datetime) -> None:
    """Create the row for `today`. If nothing is due at the member's hour, the row is marked as done right away."""
    owes = items_due(member, today).filter(waiting_since__lt=moment, request__created_at__lt=moment).exists()
    Mail.objects.get_or_create(
        member=member,
        sort=Mail.Sort.REMINDER,
        day=today,
        defaults={"due_at": now, "given_up_at": None if owes else now},
    )


def items_due(member: Member, today: date) -> ReviewItemQuerySet:
    """Return what is waiting for the member's verdict and is due around `today`, earliest first."""
    return _around(ReviewItem.objects.waiting_for(member), today, today)


def _around(items: ReviewItemQuerySet, first: date, last: date) -> ReviewItemQuerySet:
    """Return the `items` that people get a reminder about on any day from `first` to `last`."""
    return items.due_between(first - AFTER, last + BEFORE)
