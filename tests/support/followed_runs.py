"""Changes the database, from a separate process, for the test of a whole worker with many streams.

python -m tests.support.followed_runs start ID ...     create a member with these Lamina runs, all of them active
python -m tests.support.followed_runs steal            give the lease to another poller
python -m tests.support.followed_runs revive           wake the poller as the worker's pulse does
python -m tests.support.followed_runs tell             print {"poller": process id or 0, "ended": count} as JSON
"""

import json
import sys
from collections.abc import Callable
from datetime import timedelta

import django


def start(*remote_ids: str) -> None:
    from django.utils import timezone

    from runs.models import Member
    from tests.support.factories import make_app, make_run

    member = Member.objects.create_user("demo@example.com", "a long enough password", name="Demo")
    app, now = make_app(), timezone.now()
    for remote_id in remote_ids:
        make_run(member, app, status="queued", remote_id=remote_id, started_at=now - timedelta(minutes=1))
    revive()


def steal() -> None:
    from django.db.models.functions import Now

    from runs.models import Lease

    Lease.objects.filter(name="poller").update(holder="elsewhere/1/another", until=Now() + timedelta(minutes=10))


def revive() -> None:
    """Release the poller's lease if "another" holds it, and wake the poller."""
    from runs.background import leases
    from runs.engine import poller_wakeups
    from runs.models import Lease

    leases.release("poller", "elsewhere/1/another")
    Lease.objects.update(kicked_at=None)
    poller_wakeups.revive()


def tell() -> None:
    from runs.models import Run
    from tests.support.portal_parts import polling_pid

    ended = Run.objects.filter(status__in=("completed", "failed", "cancelled")).count()
    sys.stdout.write(json.dumps({"poller": polling_pid(), "ended": ended}))


if __name__ == "__main__":
    django.setup()
    acts: dict[str, Callable[..., None]] = {"start": start, "steal": steal, "revive": revive, "tell": tell}
    acts[sys.argv[1]](*sys.argv[2:])
