"""One portal process for `tests.support.mail_trials`: `python -m tests.support.mail_sender make 300`, then `send`,
which sends due emails the way the worker's task does, and `count`."""

import json
import sys

import django


def make(count: int) -> None:
    """Make `count` members, each with one notice that is due."""
    from django.utils import timezone

    from runs.models import Member, Notice

    people = [Member(email=f"person{number}@example.com", name=f"Person {number}") for number in range(count)]
    Member.objects.bulk_create(people)
    now = timezone.now()
    Notice.objects.bulk_create(
        Notice(member=member, kind="mention", event="event-1", way="once", mail_due_at=now) for member in people
    )


def send() -> None:
    """Send all due emails, as if every pause were over, until none are left or the process is killed."""
    from django.utils import timezone

    from runs.models import Mail, Notice
    from runs.notices import mails

    unsent = Mail.objects.filter(sent_at=None, given_up_at=None)
    while Notice.objects.filter(mail=None, mail_due_at__isnull=False).exists() or unsent.exists():
        unsent.update(due_at=timezone.now())
        mails.MAILS.run()


def count() -> None:
    """Print the highest number of tries for any email, and how many emails the portal gave up on."""
    from django.db.models import Max

    from runs.models import Mail

    given_up = Mail.objects.filter(given_up_at__isnull=False).count()
    sys.stdout.write(json.dumps({"tries": Mail.objects.aggregate(most=Max("tries"))["most"], "given_up": given_up}))


if __name__ == "__main__":
    django.setup()
    {"make": lambda: make(int(sys.argv[2])), "send": send, "count": count}[sys.argv[1]]()
