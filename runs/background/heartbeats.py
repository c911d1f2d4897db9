"""Record in the database, for all hosts, which worker clusters exist and which of them still take tasks.

Each cluster queues tasks for itself (`worker.Pulse`); each time such a task runs, it records a heartbeat. So if a
cluster is alive but no longer takes tasks, its heartbeats stop. The row "worker" records when any cluster last ran a
task.
"""

import os
from datetime import datetime, timedelta

from django.utils import timezone

from runs.background.cluster_names import ANY, host
from runs.background.incidents import record_incident
from runs.models import Heartbeat, Incident
from runs.models.messages import Message

SILENT_AFTER = timedelta(seconds=120)
GONE_AFTER = timedelta(hours=1)  # a cluster that has been silent for this long is forgotten


def beat(name: str) -> bool:
    """Record that `name` ("poller" or a cluster) is alive now; return True if this is its first heartbeat."""
    now = timezone.now()
    if Heartbeat.objects.filter(name=name).update(at=now):
        return False
    return Heartbeat.objects.get_or_create(name=name, defaults={"at": now})[1]


def age_seconds(name: str, now: datetime) -> int | None:
    """Return the number of seconds since the last heartbeat of `name`, or None if there never was one."""
    at = Heartbeat.objects.filter(name=name).values_list("at", flat=True).first()
    return max(0, int((now - at).total_seconds())) if at else None


def beat_cluster(name: str) -> bool:
    """Record that the cluster `name` ("" for plain `qcluster`) is running a task; return True if this is its first
    heartbeat."""
    beat(ANY)
    return bool(name) and beat(name)


def clusters(now: datetime) -> list[Heartbeat]:
    """Return the clusters that were alive within the last hour, sorted by name."""
    return list(Heartbeat.objects.filter(name__startswith=f"{ANY} ", at__gt=now - GONE_AFTER).order_by("name"))


def forget(name: str) -> bool:
    """Forget the cluster `name` now that it has ended; return False if that was already done."""
    return Heartbeat.objects.filter(name=name).delete()[0] > 0


def record_losses(now: datetime | None = None) -> bool:
    """Record one incident for each cluster that was killed on this host or has gone silent; return True if any of them
    is new."""
    now = now or timezone.now()
    is_any = False
    ours = f"{ANY} {host()}:"
    for name, at in Heartbeat.objects.filter(name__startswith=f"{ANY} ").values_list("name", "at"):
        if name.startswith(ours) and is_dead(name.removeprefix(ours)):
            if forget(name):
                record_incident("worker", Message("worker_killed", {"worker": name}))
                is_any = True
        elif SILENT_AFTER < now - at < GONE_AFTER:
            message = Message("worker_silent", {"worker": name, "since_at": int(at.timestamp())})
            if not Incident.objects.filter(kind="worker", text=message).exists():
                record_incident("worker", message)
                is_any = True
    return is_any


def is_dead(pid: str) -> bool:
    """Return whether the process `pid` no longer exists on this host."""
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (OSError, ValueError, OverflowError):
        return False  # another user's process, or not a process id
    return False


def tidy(now: datetime) -> None:
    """Forget clusters that have been silent for more than an hour."""
    Heartbeat.objects.filter(name__startswith=f"{ANY} ", at__lt=now - GONE_AFTER).delete()
