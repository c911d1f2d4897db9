"""Wakeups: tasks that tell the worker to take a run's next step now, and when to assume that one was lost.

A wakeup may die with a worker or wait in the queue for a free one; nobody can tell which. `Run.rung_at` says when the
last one was queued. It counts for the step that was due then, and is trusted for as long as that step had been due: a
lost wakeup at most doubles the wait, and while all workers are busy a step gets one after 5, 10, 20, 40 seconds and so
on instead of one per round. A step that comes due later (its worker died with the claim, its wait is over) gets its own
wakeup at once.
"""

from datetime import datetime, timedelta

from django.db.models import DateTimeField, Expression, ExpressionWrapper, F, Q, QuerySet, Value
from django.db.models.fields import DurationField
from django.utils import timezone

from runs.background.queue import enqueue, enqueue_long
from runs.models import ACTIVE, Run

START_SECONDS = 900
BELIEVED = timedelta(seconds=5)  # a start or cancel that nobody took by then has lost its task
BELIEVED_LONGEST = timedelta(minutes=10)  # for a step that has been due for that long or longer


def queue_start(*run_ids: int) -> None:
    """Have the worker send runs; their files may be large, hence the long time-out."""
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
    """Those of `runs` whose step, due since `due`, has no wakeup or one that must be assumed lost."""
    unheard_for = ExpressionWrapper(Value(now, DateTimeField()) - F("rung_at"), DurationField())
    was_due_for = ExpressionWrapper(F("rung_at") - due, DurationField())
    never = Q(rung_at=None) | Q(rung_at__lt=due)
    is_lost = Q(rung_at__lte=now - BELIEVED, unheard_for__gte=F("was_due_for")) | Q(rung_at__lte=now - BELIEVED_LONGEST)
    is_ahead = Q(rung_at__gt=now + BELIEVED)  # by another host's clock, or one that was set back
    told = runs.alias(unheard_for=unheard_for, was_due_for=was_due_for)
    return told.filter(never | is_lost | is_ahead)


def heard(run_id: int) -> None:
    """Let the next wakeup come at once: the last one was answered, but its step is still due."""
    Run.objects.filter(pk=run_id).update(rung_at=None)


def forget() -> None:
    """Let whatever is due get a new wakeup: a worker that died or was away may have lost some."""
    Run.objects.filter(status__in=ACTIVE, rung_at__isnull=False).update(rung_at=None)
