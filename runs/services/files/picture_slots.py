"""Limits on opening pictures at once: one process per core of this host, and only one large picture.

The locks are files in the data folder, shared by all portal processes on this host; a dead process releases its locks.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

LARGE_BYTES = 100 * 1024 * 1024  # memory for pixels; two such pictures at once are too much for a small host
PAUSE_SECONDS = 0.03

type OnWait = Callable[[], None]


@contextmanager
def picture_slot(*, is_large: bool, ends_at: float, on_wait: OnWait) -> Iterator[bool]:
    """Hold the right to open one picture during the block; False if none is free until `ends_at` (`time.monotonic`).
    `on_wait` is called meanwhile and may raise."""
    held: list[int] = []
    try:
        for names in ([["large"]] if is_large else []) + [["turn"], cores]:
            if (descriptor := _wait_for(names, ends_at, on_wait)) is None:
                yield False
                return
            held.append(descriptor)
        os.close(held.pop(-2))  # the turn
        yield True
    finally:
        for descriptor in held:
            os.close(descriptor)


def _take(held: list[int], *, is_large: bool) -> bool:
    """Add free locks to `held`; True when complete. The lock for large pictures comes first, so nobody waits for it
    while holding a core."""
    if is_large and not held:
        _lock("large", held)
    if len(held) == is_large:
        for core in range(_cores()):
            if _lock(f"core-{core}", held):
                return True
    return False


def _lock(name: str) -> int | None:
    folder = Path(settings.DATA_DIR) / "locks"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(folder / f"picture-{name}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _cores() -> int:
    """Number of cores available to this process."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1
