"""Which clusters of workers there are and whether each still takes tasks, as every host sees it in the database.

Each cluster has a task of its own (`worker.Pulse`) that goes the way of every other task and says so here: a cluster
that is alive to its host but takes no tasks any more falls silent. The row "worker" tells when any of them last did.
"""

import os
import socket
from datetime import datetime, timedelta

from django.utils import timezone

from runs.background.incidents import record_incident
from runs.models import Heartbeat, Incident

ANY = "worker"
SILENT_AFTER = timedelta(seconds=120)
GONE_AFTER = timedelta(hours=1)  # from then on a silent cluster is taken for one that will not come back


def beat(name: str) -> bool:
    """Record that the part NAME ("poller", or a name of a cluster) is alive now; True for its first."""
    now = timezone.now()
    if Heartbeat.objects.filter(name=name).update(at=now):
        return False
    return Heartbeat.objects.get_or_create(name=name, defaults={"at": now})[1]


def age_seconds(name: str, now: datetime) -> int | None:
    """Seconds since the part NAME last showed a sign of life; None if it never did."""
    at = Heartbeat.objects.filter(name=name).values_list("at", flat=True).first()
    return max(0, int((now - at).total_seconds())) if at else None


def name_of(pid: int) -> str:
    """The name under which the cluster with the main process PID of this host shows its signs of life."""
    return f"{ANY} {_host()}:{pid}"


def _host() -> str:
    return socket.gethostname()[:90]


def beat_cluster(name: str) -> bool:
    """A task of the cluster NAME runs; "" for one that has no name, as plain `qcluster`. True for its first."""
    beat(ANY)
    return bool(name) and beat(name)


def clusters(now: datetime) -> list[Heartbeat]:
    """The clusters that gave a sign of life within the last hour, by name."""
    return list(Heartbeat.objects.filter(name__startswith=f"{ANY} ", at__gt=now - GONE_AFTER).order_by("name"))


def words_of(name: str) -> str:
    """How a page calls the cluster NAME."""
    host, _, pid = name.removeprefix(f"{ANY} ").rpartition(":")
    return f"process {pid} on {host}"


def forget(name: str) -> bool:
    """The cluster NAME has ended; False if nobody knew of it any more."""
    return Heartbeat.objects.filter(name=name).delete()[0] > 0


def record_losses(now: datetime | None = None) -> bool:
    """Write down, once each, which clusters were killed on this host and which others have fallen silent; True if there
    were any that nobody knew of."""
    now = now or timezone.now()
    is_any = False
    ours = f"{ANY} {_host()}:"
    for name, at in Heartbeat.objects.filter(name__startswith=f"{ANY} ").values_list("name", "at"):
        if name.startswith(ours) and is_dead(name.removeprefix(ours)):
            if forget(name):
                record_incident("worker", f"The worker {words_of(name)} ended without being asked to.")
                is_any = True
        elif SILENT_AFTER < now - at < GONE_AFTER:
            since = timezone.localtime(at)
            text = f"The worker {words_of(name)} has given no sign of life since {since:%d %B, %H:%M:%S}."
            if not Incident.objects.filter(kind="worker", text=text).exists():
                record_incident("worker", text)
                is_any = True
    return is_any


def is_dead(pid: str) -> bool:
    """True when no process of this host has the id PID."""
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (OSError, ValueError, OverflowError):
        return False  # somebody else's process, or not an id
    return False


def tidy(now: datetime) -> None:
    """Forget clusters that have been silent for more than an hour."""
    Heartbeat.objects.filter(name__startswith=f"{ANY} ", at__lt=now - GONE_AFTER).delete()
