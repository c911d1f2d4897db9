"""Queue and schedule tasks with django-q2, and tell long-running tasks when the worker is stopping.

A task only says "check now". The work itself is stored in the database with a due time, so it does no harm if a task is
lost, repeated or late.
"""

import logging
import mmap
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django_q.models import Schedule
from django_q.signals import pre_execute
from django_q.tasks import async_task, schedule

logger = logging.getLogger("runs.background.queue")
REGISTER = "runs.tasks"  # queued tasks refer to this module by name, so don't move it

# One byte of memory that the worker's processes share, because it is created before they are forked.
stop_flag = mmap.mmap(-1, 1)


def enqueue(task: str, *args: int | str) -> None:
    """Queue `task`, the name of a function in `runs.tasks`, when the current transaction commits.

    Pass only ids, and pass them by position: objects would be out of date by the time the task runs, and django-q2 uses
    some keywords itself.
    """
    transaction.on_commit(partial(_hand_over, task, *args))


def enqueue_long(task: str, *args: int | str, timeout_seconds: int, is_saved: bool = True) -> None:
    """Like `enqueue`, but give the task a timeout of `timeout_seconds` instead of the cluster's default."""
    options = {"timeout": timeout_seconds, "save": is_saved}
    transaction.on_commit(partial(_hand_over, task, *args, q_options=options))


def _hand_over(task: str, *args: int | str, **options: Any) -> None:
    """Queue a task. If that fails because Redis is down, carry on: the sweep will find all work that is due."""
    try:
        async_task(f"{REGISTER}.{task}", *args, **options)
    except Exception as error:  # noqa: BLE001 - brokers may raise anything
        logger.warning("task=%s not queued: %s", task, type(error).__name__)


def enqueue_at(moment: datetime, task: str) -> None:
    """Queue `task` once at `moment`, give or take the scheduler's 30 s."""
    schedule(f"{REGISTER}.{task}", next_run=moment)


def set_schedules(schedules: Mapping[str, Mapping[str, Any]]) -> None:
    """Create or update each Schedule: its name, and its fields. The database doesn't prevent duplicate names, so remove
    duplicates."""
    for name, fields in schedules.items():
        twins = Schedule.objects.filter(name=name).order_by("pk").values_list("pk", flat=True)[1:]
        Schedule.objects.filter(pk__in=list(twins)).delete()  # made by two hosts migrating at the same time
        Schedule.objects.update_or_create(name=name, defaults=fields)


def before_each_task(receiver: Callable[[str], None]) -> None:
    """Call `receiver` with the task's id in the worker's process before each task."""
    pre_execute.connect(lambda task, **_: receiver(str(task["id"])), weak=False)


def request_stop() -> None:
    """Tell all of this worker's long-running tasks to stop the next time they check."""
    stop_flag[0] = 1


def stop_requested() -> bool:
    """Return whether this worker has been asked to stop."""
    return stop_flag[0] == 1
