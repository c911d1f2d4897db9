"""Decides how many processes the worker has for tasks: one while it's idle, and up to Q_CLUSTER's `workers` while tasks
are waiting.

Even an idle process uses memory, and the more work it has done, the more it uses. So a process that has done some work
ends after a short time without tasks. When more work comes in, a new process starts and shares its memory with the
others. Everything else is as in django-q2: each task has a process to itself that can be killed separately, for example
if the task takes too long.
"""

import time
from collections.abc import Callable, Iterable
from queue import Empty
from typing import Any

IDLE = -1  # the timer value that django-q2 gives a process without a task
LEAVE_SECONDS = 15.0  # a process ends after this long without a task
LOOK_SECONDS = 0.1
STOP = "STOP"  # tells a process to end, as in django-q2


class PatientQueue:
    """The task queue, as seen by one process. Once the process has worked and then been idle for a while, the queue
    tells it to stop."""

    def __init__(self, tasks: Any) -> None:
        self._tasks = tasks
        self._has_worked = False

    def get(self) -> Any:
        try:
            task = self._tasks.get(timeout=LEAVE_SECONDS if self._has_worked else None)
        except Empty:
            return STOP
        self._has_worked = True
        return task


class BusyWait:
    """An event that calls `look` every LOOK_SECONDS while a caller waits for it."""

    def __init__(self, event: Any, look: Callable[[], None]) -> None:
        self._event = event
        self._look = look

    def __getattr__(self, name: str) -> Any:
        return getattr(self._event, name)

    def wait(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._look()
            if self._event.wait(min(LOOK_SECONDS, left)):
                return True
        return bool(self._event.is_set())


def missing(processes: Iterable[Any], tasks: Any, most: int) -> int:
    """Return how many processes to start. Doesn't use locks, because a process that was killed may still hold one."""
    alive = [process for process in processes if process.is_alive()]
    idle = sum(process.timer.get_obj().value < 0 for process in alive)
    queued = tasks.size.count.get_obj().value
    count = max(queued - idle, 0 if alive else 1)
    return int(max(0, min(count, most - len(alive))))


def has_left(process: Any) -> bool:
    """Return whether a pool process has ended on its own while it had no task."""
    timer = getattr(process, "timer", None)
    return timer is not None and process.exitcode == 0 and timer.value == IDLE
