"""Which clusters of workers exist and whether each still takes tasks, recorded in the database for all hosts.

Each cluster queues a task of its own (`worker.Pulse`) that is recorded here, so one that still runs but takes no tasks
falls silent. The row "worker" says when any of them last did.
"""

import os
import socket
from datetime import datetime, timedelta

from django.utils import timezone

from runs.background.incidents import record_incident
from runs.models import Heartbeat, Incident
from runs.models.messages import Message

ANY = "worker"
SILENT_AFTER = timedelta(seconds=120)
GONE_AFTER = timedelta(hours=1)  # then a silent cluster counts as gone for good


def beat(name: str) -> bool:
    """Record that the part `name` ("poller", or a cluster) is alive now; True for its first time."""
    now = timezone.now()
    if Heartbeat.objects.filter(name=name).update(at=now):
        return False
    return Heartbeat.objects.get_or_create(name=name, defaults={"at": now})[1]


def age_seconds(name: str, now: datetime) -> int | None:
    """Seconds since the last sign of life of the part `name`; None if there never was one."""
    at = Heartbeat.objects.filter(name=name).values_list("at", flat=True).first()
    return max(0, int((now - at).total_seconds())) if at else None


def name_of(pid: int) -> str:
    """The name of the cluster on this host with the main process `pid`."""
    return f"{ANY} {_host()}:{pid}"


def _host() -> str:
    return socket.gethostname()[:90]


def beat_cluster(name: str) -> bool:
    """Record that the cluster `name` runs a task; plain `qcluster` has the name "". True for its first."""
    beat(ANY)
    return bool(name) and beat(name)


def clusters(now: datetime) -> list[Heartbeat]:
    """The clusters that were alive within the last hour, by name."""
    return list(Heartbeat.objects.filter(name__startswith=f"{ANY} ", at__gt=now - GONE_AFTER).order_by("name"))


def forget(name: str) -> bool:
    """The cluster `name` has ended; False if it was forgotten already."""
    return Heartbeat.objects.filter(name=name).delete()[0] > 0


def record_losses(now: datetime | None = None) -> bool:
    """Record, once each, the clusters that were killed on this host and those that fell silent; True if there were new
    ones."""
    now = now or timezone.now()
    is_any = False
    ours = f"{ANY} {_host()}:"
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
    """True if no process on this host has the id `pid`."""
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (OSError, ValueError, OverflowError):
        return False  # someone else's process, or not an id
    return False


def tidy(now: datetime) -> None:
    """Forget clusters that have been silent for more than an hour."""
    Heartbeat.objects.filter(name__startswith=f"{ANY} ", at__lt=now - GONE_AFTER).delete()
