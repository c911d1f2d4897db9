"""Waking the poller: one query while it is awake, one task when it is not."""

from functools import partial

from django.db import transaction
from django_q.tasks import async_task

from runs.models import Run
from runs.services import leases

POLLER = "poller"


def ensure_poller() -> None:
    """Make sure that somebody watches the runs; cheap enough to call from every polled fragment."""
    if not leases.is_held(POLLER) and leases.may_kick(POLLER):
        ring_poller()


def ring_poller() -> None:
    """Queue the poller's task. Its result is of no interest, so it is not kept."""
    transaction.on_commit(partial(async_task, "runs.tasks.poll", q_options={"save": False}))


def ensure_poller_if_needed() -> None:
    """As `ensure_poller`, for callers that do not know whether any run is active: an idle portal asks nothing."""
    if Run.objects.needing_poller().exists():
        ensure_poller()
