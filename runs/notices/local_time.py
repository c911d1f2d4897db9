"""The hour when a member gets their daily email and reminders, in their own time zone."""

from datetime import date, datetime, time

from django.utils import timezone

from runs.models import Member
from runs.words.time_zones import zone_called


def hour_of_today(member: Member, now: datetime, hour: int) -> tuple[date, datetime]:
    """Return today's date in the member's time zone, and the moment when `hour` begins on that day.

    If the clocks go forward and skip that hour, return the moment when they change. If that hour occurs twice, return
    the first one.
    """
    zone = zone_called(member.mail_time_zone) or timezone.get_default_timezone()
    today = timezone.localtime(now, zone).date()
    return today, datetime.combine(today, time(hour), tzinfo=zone)
