"""Seats: how many tasks a worker runs at the same time, and how many of them may be long.

Starts, cancels and the pulse mustn't wait for videos, so long tasks never take the last two seats. To take a seat, a
process locks one byte of a file that all of the worker's processes share. If a process dies, the kernel unlocks it.
"""

import fcntl
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import IO, Any

from django.conf import settings
from django_q.signals import post_execute_in_worker, pre_execute

COUNT: int = settings.Q_CLUSTER["workers"]
EACH = range(COUNT)  # each task locks one of these bytes
LONG = range(COUNT, 2 * COUNT - 3)  # each long task also locks one of these; one more seat is for the poller


class _Held:
    """What this process has locked."""

    file: IO[bytes] | None = None  # in a process that isn't ours (plain `qcluster`), all long tasks may run
    seat: int | None = None
    is_long = False


def open_for_tasks() -> None:
    """Make each task take a seat from now on, in this process and those that it will start."""
    _Held.file = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process runs
    pre_execute.connect(_take, weak=False)
    post_execute_in_worker.connect(_leave, weak=False)


def is_any_free() -> bool:
    """Return whether a process has no task."""
    if (seat := _lock(EACH)) is not None:
        _unlock(seat)
    return seat is not None


@contextmanager
def long_seat() -> Iterator[bool]:
    """Hold one of the seats for long tasks during the block; yield False if all are taken."""
    if _Held.file is None or _Held.is_long:
        yield True
        return
    seat = _lock(LONG)
    _Held.is_long = seat is not None
    try:
        yield _Held.is_long
    finally:
        _Held.is_long = False
        if seat is not None:
            _unlock(seat)


def long_task(task: Callable[..., None]) -> Callable[..., None]:
    """Decorate a task that may take long. It does nothing while all seats for long tasks are taken, so something must
    queue it again as long as its work is due."""

    @wraps(task)
    def run(*args: Any) -> None:
        with long_seat() as may_run:
            if may_run:
                task(*args)

    return run


def _take(**_: Any) -> None:
    _Held.seat = _lock(EACH)


def _leave(**_: Any) -> None:
    if _Held.seat is not None:
        _unlock(_Held.seat)
        _Held.seat = None


def _lock(seats: Iterable[int]) -> int | None:
    for seat in seats:
        with suppress(OSError):  # another process has locked it
            fcntl.lockf(_Held.file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, seat)  # type: ignore[arg-type]
            return seat
    return None


def _unlock(seat: int) -> None:
    fcntl.lockf(_Held.file, fcntl.LOCK_UN, 1, seat)  # type: ignore[arg-type]
