"""Queue tasks with django-q2, and tell long ones when the worker must stop.

A task only says "look now". What is to be done stands in the database with a due time, so a lost, repeated or late task
changes nothing.
"""

import logging
import mmap
from functools import partial
from typing import Any

from django.db import transaction
from django_q.tasks import async_task

logger = logging.getLogger("runs.background.queue")
REGISTER = "runs.tasks"  # names in a queue are an interface, like addresses: don't move this module

# One byte shared by the worker's processes, made before they are forked so that all see the same memory.
stop_flag = mmap.mmap(-1, 1)


def enqueue(task: str, *args: int | str) -> None:
    """Queue `task`, the name of a function in `runs.tasks`, when the current transaction commits.

    Ids only, by position: django-q2 uses some keywords itself, and objects would get stale.
    """
    transaction.on_commit(partial(_hand_over, task, *args))


def enqueue_long(task: str, *args: int | str, timeout_seconds: int, is_saved: bool = True) -> None:
    """Like `enqueue`, for a task that may take `timeout_seconds` instead of the cluster's own time-out."""
    options = {"timeout": timeout_seconds, "save": is_saved}
    transaction.on_commit(partial(_hand_over, task, *args, q_options=options))


def _hand_over(task: str, *args: int | str, **options: Any) -> None:
    """Queue a task. If that fails (Redis away), go on: the sweep finds what is due."""
    try:
        async_task(f"{REGISTER}.{task}", *args, **options)
    except Exception as error:  # noqa: BLE001 - brokers raise what they like
        logger.warning("task=%s not queued: %s", task, type(error).__name__)


def request_stop() -> None:
    """Tell every long task of this worker to end when it next checks."""
    stop_flag[0] = 1


def stop_requested() -> bool:
    """True once this worker has been asked to stop."""
    return stop_flag[0] == 1
