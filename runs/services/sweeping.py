"""The sweep: finds whatever is due, so that a lost, doubled or late task changes nothing.

The poller comes by every few seconds while anything is active, the worker's pulse every 30 s.
"""

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from runs.models import AT_LAMINA, Run
from runs.queue import enqueue
from runs.services import progress

LOST_PRESS = timedelta(seconds=5)  # a start or cancel not taken up by then has lost its task
UNCLEAR_CANCEL = timedelta(seconds=20)  # still going by then: the wish is sent once more
LONGEST_WAIT = timedelta(minutes=15)  # more than any step is ever put off
AT_ONCE = 20


def sweep(now: datetime | None = None) -> None:
    """Ring for starts whose task was lost, whose waiting is over, or whose worker died, and for unsent cancels."""
    now = now or timezone.now()
    # Put off by a clock that was ahead: that moment may be hours away.
    Run.objects.filter(status__in=("starting", "checking"), due_at__gt=now + LONGEST_WAIT).update(due_at=now)
    due = Run.objects.due(now).order_by("due_at")
    for run in due.filter(status="checking")[:AT_ONCE]:
        enqueue("runs.tasks.check_run", run.pk)
    for run in due.filter(status="starting", sent_at__isnull=False)[:AT_ONCE]:
        # Its worker died between the POST and the answer: it may have started.
        progress.doubt(run, "The portal was interrupted while it handed this run over.")
    fresh = Q(wait="", due_at__gt=now - LOST_PRESS)  # its own task is on the way
    for run in due.filter(status="starting", sent_at=None).exclude(fresh)[:AT_ONCE]:
        progress.ring_start(run.pk)
    is_unsent = Q(cancel_asked_at__lt=now - LOST_PRESS, cancel_sent_at=None)
    is_unclear = Q(cancel_sent_at__lt=now - UNCLEAR_CANCEL, cancel_answer="")  # sent, but not a word came back
    for run in Run.objects.filter(is_unsent | is_unclear, status__in=AT_LAMINA)[:AT_ONCE]:
        enqueue("runs.tasks.cancel_run", run.pk)
