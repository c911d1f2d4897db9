"""The hour at which a member gets their daily mail and reminders, in their own time zone."""

from datetime import date, datetime, time

from django.utils import timezone

from runs.models import Member
from runs.words.zones import zone_called


def hour_of_today(member: Member, now: datetime, hour: int) -> tuple[date, datetime]:
    """Return today's date where `member` is, and the moment of `hour` on that day.

    On a day that skips the hour, because summer time begins, it is the moment the clock was set to instead. On a day
    that has it twice, it is the first one.
    """
    zone = zone_called(member.mail_time_zone) or timezone.get_default_timezone()
    today = timezone.localtime(now, zone).date()
    return today, datetime.combine(today, time(hour), tzinfo=zone)
