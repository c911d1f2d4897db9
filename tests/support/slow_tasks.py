"""Tasks for the tests of the worker: they write what happened into a file, since they run in other processes."""

import os
import time
from pathlib import Path

from runs.background import queue


def note(path: str, word: str) -> None:
    """Append WORD to the file."""
    with Path(path).open("a") as file:
        file.write(f"{word}\n")


def window(path: str, seconds: int) -> None:
    """A long task as the poller is one: ends at once when the worker is asked to stop."""
    note(path, "begun")
    end = time.monotonic() + seconds
    while time.monotonic() < end and not queue.stop_requested():
        time.sleep(0.05)
    note(path, "stopped" if queue.stop_requested() else "done")


def busy(path: str, seconds: int) -> None:
    """A task that does not look at the stop flag."""
    note(path, "begun")
    time.sleep(seconds)
    note(path, "done")


def own_pid(path: str, seconds: int) -> None:
    """Tell which process does this, and stay busy."""
    note(path, str(os.getpid()))
    time.sleep(seconds)
