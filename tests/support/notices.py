"""Creates notices the way events do, and sends the emails about them."""

from itertools import count
from typing import Any

from django.utils import timezone

from runs.models import GuestNotice, Mail, Member, Notice, Run, Way
from runs.notices import choices, mails

_numbers = count(1)


def tell(member: Member, kind: str, run: Run | None = None, **fields: Any) -> Notice:
    """Create a notice, to be delivered the way the member has chosen."""
    way = choices.ways_of([member.pk], kind, run)[member.pk]
    due_at = timezone.now() + choices.GATHER if way == Way.ONCE else None
    event = fields.pop("event", f"event-{next(_numbers)}")
    return Notice.objects.create(member=member, kind=kind, event=event, run=run, way=way, mail_due_at=due_at, **fields)


def send_gathered() -> None:
    """Send the emails about all notices so far, as if the two minutes for collecting them were over."""
    Notice.objects.filter(mail_due_at__isnull=False).update(mail_due_at=timezone.now())
    GuestNotice.objects.filter(mail_due_at__isnull=False).update(mail_due_at=timezone.now())
    mails.MAILS.run()


def try_again() -> None:
    """Retry the emails that weren't accepted, as if the pause before the next try were over."""
    Mail.objects.filter(sent_at=None, given_up_at=None).update(due_at=timezone.now())
    mails.MAILS.run()
