"""Wake the poller. If the poller is already awake, this takes one query; if not, this queues one task."""

from runs.background import leases
from runs.background.queue import enqueue_long
from runs.models import Run

POLLER = "poller"
TASK_SECONDS = 690  # enough for one window and a slow last round; much less than the queue's `retry`


def ensure_poller() -> None:
    """Make sure that the poller is running. This is cheap enough to do whenever a page polls."""
    if not leases.is_held(POLLER) and leases.may_kick(POLLER):
        queue_poller()


def wake_for_new_work() -> None:
    """Make sure that the poller is running, for a run that needs it from now on.

    Unlike `ensure_poller`, this isn't limited to once every three seconds: a poller that was queued a moment ago may
    have found nothing to do and ended, and if no page is open, nobody would queue the next one.
    """
    if not leases.is_held(POLLER):
        queue_poller()


def queue_poller() -> None:
    """Queue the poller's task, without storing its result."""
    enqueue_long("poll", timeout_seconds=TASK_SECONDS, is_saved=False)


def ensure_poller_if_needed() -> None:
    """Like `ensure_poller`, but only if a run is active, so that an idle portal sends no requests."""
    if Run.objects.needing_poller().exists():
        ensure_poller()


def revive() -> None:
    """Like `ensure_poller_if_needed`, but if a poller was killed on this host, don't wait for its lease to expire."""
    leases.release_of_dead(POLLER)
    ensure_poller_if_needed()
