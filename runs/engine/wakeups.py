"""Sends wakeups (tasks that tell the worker to take a run's next step now), and decides when to assume that one was
lost.

A wakeup may have died with its worker, or it may still be waiting for a free worker; there is no way to tell.
`Run.rung_at` is when the last wakeup was queued. If the step had been due for ten seconds at that time, for example, we
assume after ten more seconds that the wakeup was lost. So losing a wakeup at most doubles the wait, and while all
workers are busy, a step gets wakeups after 5, 10, 20, 40 seconds and so on, rather than in every round. A step that
becomes due after its last wakeup (because a worker died holding the claim, or a wait is over) gets a new wakeup at
once.
"""

from datetime import datetime, timedelta

from django.db.models import DateTimeField, Expression, ExpressionWrapper, F, Q, QuerySet, Value
from django.db.models.fields import DurationField
from django.utils import timezone

from runs.background.queue import enqueue, enqueue_long
from runs.models import Run

START_SECONDS = 900
BELIEVED = timedelta(seconds=5)  # if no worker takes a start or cancel within this time, we assume its task was lost
BELIEVED_LONGEST = timedelta(minutes=10)  # after this long, we always assume that the task was lost


def queue_start(*run_ids: int) -> None:
    """Tell the worker to send runs. The timeout is long, because a run's files may be large."""
    _note(run_ids)
    for run_id in run_ids:
        enqueue_long("submit_run", run_id, timeout_seconds=START_SECONDS, is_saved=False)


def queue_check(*run_ids: int) -> None:
    """Tell the worker to check whether these runs have started."""
    _note(run_ids)
    for run_id in run_ids:
        enqueue("check_run", run_id)


def queue_cancel(*run_ids: int) -> None:
    """Tell the worker to cancel runs on Lamina."""
    _note(run_ids)
    for run_id in run_ids:
        enqueue("cancel_run", run_id)


def _note(run_ids: tuple[int, ...]) -> None:
    Run.objects.filter(pk__in=run_ids).update(rung_at=timezone.now())


def without_wakeup(runs: QuerySet[Run], now: datetime, due: F | Expression) -> QuerySet[Run]:
    """Return those of `runs` with a step that has been due since `due` and has no wakeup, or one that we must assume
    was lost."""
    unheard_for = ExpressionWrapper(Value(now, DateTimeField()) - F("rung_at"), DurationField())
    was_due_for = ExpressionWrapper(F("rung_at") - due, DurationField())
    never = Q(rung_at=None) | Q(rung_at__lt=due)
    is_lost = Q(rung_at__lte=now - BELIEVED, unheard_for__gte=F("was_due_for")) | Q(rung_at__lte=now - BELIEVED_LONGEST)
    is_ahead = Q(rung_at__gt=now + BELIEVED)  # another host's clock is ahead, or ours was set back
    with_times = runs.alias(unheard_for=unheard_for, was_due_for=was_due_for)
    return with_times.filter(never | is_lost | is_ahead)


def allow(run_id: int) -> None:
    """Allow the next wakeup at once: the last one was handled, but the step is still due."""
    Run.objects.filter(pk=run_id).update(rung_at=None)


def forget() -> None:
    """Allow new wakeups for everything that is due, because a worker that died or was unavailable may have lost
    some."""
    Run.objects.active().filter(rung_at__isnull=False).update(rung_at=None)
