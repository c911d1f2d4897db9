"""How many processes the worker has for tasks: one at rest, and up to Q_CLUSTER's `workers` while tasks wait.

A process costs memory even if it only waits, and more the more it has done. So one that has worked leaves after a short
silence, and a new one, which shares its memory with the others, takes its place when there is work again. Everything
else is as in django-q2: each task has a process to itself, which can be killed alone, also for taking too long.
"""

import time
from collections.abc import Callable, Iterable
from queue import Empty
from typing import Any

IDLE = -1  # the timer of a process without a task, as django-q2 sets it
LEAVE_SECONDS = 15.0  # of silence
LOOK_SECONDS = 0.1
STOP = "STOP"  # ends a process, as in django-q2


class PatientQueue:
    """The queue of tasks as one process sees it: once it has worked, a silence is followed by the order to stop."""

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
    """An event; while it is waited for, `look` is called every LOOK_SECONDS."""

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
    """Return how many processes to start. Reads without locks, since a killed process may hold one."""
    alive = [process for process in processes if process.is_alive()]
    idle = sum(process.timer.get_obj().value < 0 for process in alive)
    queued = tasks.size.count.get_obj().value
    wanted = max(queued - idle, 0 if alive else 1)
    return int(max(0, min(wanted, most - len(alive))))


def has_left(process: Any) -> bool:
    """Return whether a pool process has ended by itself, without a task."""
    timer = getattr(process, "timer", None)
    return timer is not None and process.exitcode == 0 and timer.value == IDLE
