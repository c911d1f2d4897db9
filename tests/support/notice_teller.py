"""One process that notifies people of runs that have ended, as a worker does. Start it with `python -m
tests.support.notice_teller make`, then with `tell`, which reports each run twice, and with `count`."""

import json
import random
import sys

import django

RUNS, PEOPLE = 30, 4


def make() -> None:
    """Create runs, and people who all want to know when each run is ready."""
    from django.utils import timezone

    from runs.models import MailWhenReady, Member
    from tests.support.factories import make_app, make_run

    people = [Member.objects.create_user(f"person{number}@example.com") for number in range(PEOPLE)]
    app, now = make_app(), timezone.now()
    runs = [make_run(people[0], app, status="completed", shared_at=now) for _ in range(RUNS)]
    MailWhenReady.objects.bulk_create(MailWhenReady(member=member, run=run) for run in runs for member in people)


def tell() -> None:
    """Report every run twice, in a different order from the other processes."""
    from django.db import transaction

    from runs.models import Run
    from runs.notices import listeners

    runs = list(Run.objects.all()) * 2
    random.shuffle(runs)
    for run in runs:
        with transaction.atomic():
            listeners.on_run_ended(run)
        sys.stdout.write("told\n")
        sys.stdout.flush()


def count() -> None:
    """Print how many notices there are, and how many people's bells show the wrong number."""
    from django.utils import timezone

    from runs.models import Member, Notice
    from runs.notices import read_state

    read_state.tidy(timezone.now())
    wrong = [member.pk for member in Member.objects.all() if member.unread != min(RUNS, read_state.COUNTED)]
    sys.stdout.write(json.dumps({"notices": Notice.objects.count(), "wrong": len(wrong)}))


if __name__ == "__main__":
    django.setup()
    {"make": make, "tell": tell, "count": count}[sys.argv[1]]()
