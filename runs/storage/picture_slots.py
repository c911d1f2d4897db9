"""Limit how many pictures are open at once: at most one per core of this host, and only one large picture.

The locks are files in the data folder, shared by all portal processes on this host. A process that dies releases its
locks.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

# A picture that needs more memory than this counts as large; two at once would be too much for a small host
LARGE_BYTES = 100 * 1024 * 1024
PAUSE_SECONDS = 0.03

type OnWait = Callable[[], None]


@contextmanager
def picture_slot(*, is_large: bool, ends_at: float, on_wait: OnWait) -> Iterator[bool]:
    """Hold a slot for opening one picture during the block; yield False if none is free by `ends_at`.

    `ends_at` is a time on the monotonic clock. `on_wait` is called while waiting and may raise. Only the process that
    holds the "turn" lock waits for a core; all others wait for that lock first.
    """
    cores = [f"core-{core}" for core in range(_cores())]
    locks: list[int] = []
    try:
        for names in ([["large"]] if is_large else []) + [["turn"], cores]:
            if (descriptor := _wait_for(names, ends_at, on_wait)) is None:
                yield False
                return
            locks.append(descriptor)
        os.close(locks.pop(-2))  # release the "turn" lock
        yield True
    finally:
        for descriptor in locks:
            os.close(descriptor)


def _wait_for(names: list[str], ends_at: float, on_wait: OnWait) -> int | None:
    """Lock the first of `names` that is free, waiting until `ends_at`; return its descriptor, or None if none is free
    by then."""
    while True:
        for name in names:
            if (descriptor := _lock(name)) is not None:
                return descriptor
        if time.monotonic() >= ends_at:
            return None
        on_wait()
        time.sleep(PAUSE_SECONDS)


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
    """Return how many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # this isn't Linux
        return os.cpu_count() or 1
