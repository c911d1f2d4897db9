"""Daily emails about what has happened since the last one, sent at the hour the reader chose. Nobody gets two on the
same day, because a row for the member and the day is created before the email is sent."""

from datetime import datetime

from django.db import transaction

from runs.models import Mail, Member, Notice, Way
from runs.notices.local_time import hour_of_today


def make_due(now: datetime) -> None:
    """Create a daily email for everyone whose chosen hour has passed, if there is something to report."""
    waiting = Notice.objects.filter(mail=None, way=Way.DAILY)
    settled = waiting.exclude(read_at=None, is_undone=False)
    if settled.exists():
        settled.update(way=Way.OFF)
    for member in Member.objects.filter(pk__in=waiting.order_by().values("member"), is_active=True, mail_dead_at=None):
        _make(member, now)


def _make(member: Member, now: datetime) -> None:
    today, moment = hour_of_today(member, now, member.mail_hour)
    fresh = Notice.objects.filter(member=member, mail=None, way=Way.DAILY, created_at__lt=moment)
    if moment > now or not fresh.exists():
        return
    with transaction.atomic():
        row, is_new = Mail.objects.get_or_create(
            member=member, sort=Mail.Sort.DAILY, day=today, defaults={"due_at": now}
        )
        if is_new and not fresh.update(mail=row):
            row.delete()
