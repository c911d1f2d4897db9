"""Hands work to django-q2, and tells long tasks when the worker wants to stop.

A task only says "look now". What must happen is a fact in the database with a due time, so a lost, doubled or late
task changes nothing.
"""

import logging
import mmap
from functools import partial
from typing import Any

from django.db import transaction
from django_q.tasks import async_task

logger = logging.getLogger("runs.background.queue")
REGISTER = "runs.tasks"  # names in a queue are an interface, like addresses: this module stays for good

# One byte shared by the worker's processes: made before they are forked, so that all of them see the same page.
stop_flag = mmap.mmap(-1, 1)


def enqueue(task: str, *args: int | str) -> None:
    """Hand `task`, the name of a function of `runs.tasks`, to the worker once the current transaction commits.

    Positional ids only: django-q2 takes some keywords for itself, and pickled objects go stale.
    """
    transaction.on_commit(partial(_hand_over, task, *args))


def enqueue_long(task: str, *args: int | str, timeout_seconds: int, is_saved: bool = True) -> None:
    """Like `enqueue`, for a task that may take TIMEOUT_SECONDS instead of the cluster's own time-out."""
    options = {"timeout": timeout_seconds, "save": is_saved}
    transaction.on_commit(partial(_hand_over, task, *args, q_options=options))


def _hand_over(task: str, *args: int | str, **options: Any) -> None:
    """A task that cannot be queued just now (Redis away) stops nobody: the sweep finds what is due."""
    try:
        async_task(f"{REGISTER}.{task}", *args, **options)
    except Exception as error:  # noqa: BLE001 - brokers raise what they like
        logger.warning("task=%s not queued: %s", task, type(error).__name__)


def request_stop() -> None:
    """Tell every long task of this worker to end at its next look."""
    stop_flag[0] = 1


def stop_requested() -> bool:
    """True once this worker was asked to stop."""
    return stop_flag[0] == 1
