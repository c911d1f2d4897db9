"""Leases: exclusive rights for a few seconds, stored in the database and timed by the database's clock.

This way, the hosts' clocks don't matter. If a holder dies, its lease expires.
"""

import os
import socket
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from django.db.models import Q
from django.db.models.functions import Now

from runs.background.heartbeats import is_dead
from runs.background.queue import stop_requested
from runs.models import Lease

KICK_EVERY = timedelta(seconds=3)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)  # free leases stay free even if the clock is set back


def new_holder() -> str:
    """Return a new holder name. It starts with the host and process id, so that the holder can be found."""
    return f"{_host()}/{os.getpid()}/{uuid.uuid4().hex}"[:64]


def _host() -> str:
    return socket.gethostname()[:20]


def acquire(name: str, holder: str, seconds: float) -> bool:
    """Acquire the lease `name` for `seconds` if it is free."""
    Lease.objects.get_or_create(name=name, defaults={"until": LONG_AGO})
    free = Lease.objects.filter(Q(until__lt=Now()) | Q(holder=holder), name=name)
    return free.update(holder=holder, until=Now() + timedelta(seconds=seconds)) == 1


def renew(name: str, holder: str, seconds: float) -> bool:
    """Renew the lease for `seconds`; return False if it was lost. If it was, the work must stop at once."""
    mine = Lease.objects.filter(name=name, holder=holder, until__gt=Now())
    return mine.update(until=Now() + timedelta(seconds=seconds)) == 1


def release(name: str, holder: str) -> None:
    """Release the lease before it expires."""
    Lease.objects.filter(name=name, holder=holder).update(until=LONG_AGO)


def release_of_dead(name: str) -> None:
    """Release a lease whose holder was killed on this host, so that nobody has to wait until it expires.

    If the holder is alive after all (in another container with the same host name), it can't renew its lease any more,
    and stops.
    """
    holder = Lease.objects.filter(name=name, until__gt=Now()).values_list("holder", flat=True).first() or ""
    host, _, rest = holder.partition("/")
    if host == _host() and is_dead(rest.partition("/")[0]):
        release(name, holder)


@contextmanager
def hold(name: str, seconds: float) -> Iterator[Callable[[], bool] | None]:
    """Hold the lease during the block. Yields a function that renews the lease and returns whether the work may go on;
    yields None if someone else has the lease."""
    holder = new_holder()
    if not acquire(name, holder, seconds):
        yield None
        return
    try:
        yield lambda: not stop_requested() and renew(name, holder, seconds)
    finally:
        release(name, holder)


def is_held(name: str) -> bool:
    """Return whether someone has the lease."""
    return Lease.objects.filter(name=name, until__gt=Now()).exists()


def may_kick(name: str) -> bool:
    """Return True to at most one caller every three seconds, and only while the lease is free."""
    Lease.objects.get_or_create(name=name, defaults={"until": LONG_AGO})
    idle = Lease.objects.filter(name=name, until__lt=Now())
    is_ahead = Q(kicked_at__gt=Now() + KICK_EVERY)  # the database's clock was set back
    may = idle.filter(Q(kicked_at=None) | Q(kicked_at__lt=Now() - KICK_EVERY) | is_ahead)
    return may.update(kicked_at=Now()) == 1


def end_kick(name: str) -> None:
    """Allow the next kick immediately, because the work that the last kick started has finished."""
    Lease.objects.filter(name=name).update(kicked_at=None)
