"""Wake the poller, which takes one query if it is awake and one task otherwise."""

from runs.background import leases
from runs.background.queue import enqueue_long
from runs.models import Run

POLLER = "poller"
TASK_SECONDS = 690  # one window and a slow last round; far below the queue's `retry`


def ensure_poller() -> None:
    """Make sure that the poller is running; cheap enough to be called whenever a page polls."""
    if not leases.is_held(POLLER) and leases.may_kick(POLLER):
        queue_poller()


def queue_poller() -> None:
    """Queue the poller's task, without storing its result."""
    enqueue_long("poll", timeout_seconds=TASK_SECONDS, is_saved=False)


def ensure_poller_if_needed() -> None:
    """Like `ensure_poller`, but only if a run is active, so that an idle portal sends no requests."""
    if Run.objects.needing_poller().exists():
        ensure_poller()


def revive() -> None:
    """Like `ensure_poller_if_needed`, but without waiting out the lease of a poller killed on this host."""
    leases.release_of_dead(POLLER)
    ensure_poller_if_needed()
