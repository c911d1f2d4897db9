"""The sweep finds whatever is due, so that lost, repeated or late tasks do no harm.

The poller runs it every few seconds while anything is active, and the worker's pulse runs it every 30 s. A run whose
wakeup is still on its way (`wakeups`) doesn't get a second one, so sweeps don't fill the queue while all workers are
busy.
"""

from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from runs.engine import progress, wakeups
from runs.models import Run

UNCLEAR_CANCEL = timedelta(seconds=20)  # resend a cancel request if the run is still active after this long
LONGEST_WAIT = timedelta(minutes=15)  # no step is ever delayed this long
AT_ONCE = 20


def sweep(now: datetime | None = None) -> None:
    """Wake the worker for starts and checks that are due (their task was lost, their wait is over, or their worker
    died), and for cancels that weren't sent or got no clear response."""
    now = now or timezone.now()
    # These times were set by a clock that was ahead, and may be hours away.
    is_far = Q(status__in=("starting", "checking"), due_at__gt=now + LONGEST_WAIT)
    Run.objects.active().filter(is_far).update(due_at=now)
    due = Run.objects.due(now).order_by("due_at")
    without_wakeup = wakeups.without_wakeup(due, now, F("due_at"))
    wakeups.queue_check(*_first(without_wakeup.filter(status="checking")))
    for run in due.filter(status="starting", sent_at__isnull=False)[:AT_ONCE]:
        progress.doubt(run, progress.INTERRUPTED)  # the run may have started
    wakeups.queue_start(*_first(without_wakeup.filter(status="starting", sent_at=None)))
    is_unsent = Q(cancel_asked_at__lt=now - wakeups.BELIEVED, cancel_sent_at=None)
    is_unclear = Q(cancel_sent_at__lt=now - UNCLEAR_CANCEL, cancel_answer="")  # sent, but Lamina gave no status
    to_cancel = Run.objects.at_lamina().filter(is_unsent | is_unclear)
    since = Coalesce(F("cancel_sent_at"), F("cancel_asked_at"))
    wakeups.queue_cancel(*_first(wakeups.without_wakeup(to_cancel, now, since)))


def _first(runs: QuerySet[Run]) -> list[int]:
    return list(runs.values_list("pk", flat=True)[:AT_ONCE])
