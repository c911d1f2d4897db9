"""Wakeups: tasks that tell the worker to look at a run's next step now, and the question whether one has been lost.

A wakeup may die with a worker, or wait in the queue for a free one; nobody can tell which. `Run.rung_at` says when the
last one was queued. It counts for the step that was due then, and is believed for as long again as that had been due: a
lost wakeup at most doubles the wait, and while all workers are busy a step gets one after 5, 10, 20, 40 seconds and so
on instead of one in every round. Each step that comes due later (its worker died with the claim, its pause is over) has
a wakeup of its own at once.
"""

from datetime import datetime, timedelta

from django.db.models import DateTimeField, Expression, ExpressionWrapper, F, Q, QuerySet, Value
from django.db.models.fields import DurationField
from django.utils import timezone

from runs.background.queue import enqueue, enqueue_long
from runs.models import ACTIVE, Run

START_SECONDS = 900
BELIEVED = timedelta(seconds=5)  # a start or cancel not taken up by then has lost its task
BELIEVED_LONGEST = timedelta(minutes=10)  # after a step that has been due for so long or longer


def queue_start(*run_ids: int) -> None:
    """Have the worker hand runs over; their files may be large, hence the time."""
    _note(run_ids)
    for run_id in run_ids:
        enqueue_long("submit_run", run_id, timeout_seconds=START_SECONDS, is_saved=False)


def queue_check(*run_ids: int) -> None:
    """Have the worker look for runs that may have started."""
    _note(run_ids)
    for run_id in run_ids:
        enqueue("check_run", run_id)


def queue_cancel(*run_ids: int) -> None:
    """Have the worker tell Lamina to stop runs."""
    _note(run_ids)
    for run_id in run_ids:
        enqueue("cancel_run", run_id)


def _note(run_ids: tuple[int, ...]) -> None:
    Run.objects.filter(pk__in=run_ids).update(rung_at=timezone.now())


def without_wakeup(runs: QuerySet[Run], now: datetime, due: F | Expression) -> QuerySet[Run]:
    """Those of RUNS for whose step, due since DUE, no wakeup was queued or the last one must be taken for lost."""
    unheard_for = ExpressionWrapper(Value(now, DateTimeField()) - F("rung_at"), DurationField())
    was_due_for = ExpressionWrapper(F("rung_at") - due, DurationField())
    never = Q(rung_at=None) | Q(rung_at__lt=due)
    is_lost = Q(rung_at__lte=now - BELIEVED, unheard_for__gte=F("was_due_for")) | Q(rung_at__lte=now - BELIEVED_LONGEST)
    is_ahead = Q(rung_at__gt=now + BELIEVED)  # by a clock that is not ours, or was set back
    told = runs.alias(unheard_for=unheard_for, was_due_for=was_due_for)
    return told.filter(never | is_lost | is_ahead)


def heard(run_id: int) -> None:
    """A wakeup was answered and its step is due still: the next one need not wait for it."""
    Run.objects.filter(pk=run_id).update(rung_at=None)


def forget() -> None:
    """A worker that died, or was away, may have taken wakeups with it: whatever is due gets a new one."""
    Run.objects.filter(status__in=ACTIVE, rung_at__isnull=False).update(rung_at=None)
