"""Waking the poller: one query while it is awake, one task otherwise."""

from runs.background import leases
from runs.background.queue import enqueue_long
from runs.models import Run

POLLER = "poller"
TASK_SECONDS = 120  # a window and its last, slowest round


def ensure_poller() -> None:
    """Make sure that the poller runs; cheap enough to call from every polled fragment."""
    if not leases.is_held(POLLER) and leases.may_kick(POLLER):
        queue_poller()


def queue_poller() -> None:
    """Queue the poller's task, without storing its result."""
    enqueue_long("poll", timeout_seconds=TASK_SECONDS, is_saved=False)


def ensure_poller_if_needed() -> None:
    """As `ensure_poller`, but only if a run is active: an idle portal sends no requests."""
    if Run.objects.needing_poller().exists():
        ensure_poller()


def revive() -> None:
    """As `ensure_poller_if_needed`, without waiting for the lease of a killed poller of this host."""
    leases.release_of_dead(POLLER)
    ensure_poller_if_needed()
