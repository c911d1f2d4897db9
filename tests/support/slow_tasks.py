"""Tasks for the worker tests. They run in other processes, so they record what they do in a file."""

import os
import time
from pathlib import Path

from runs.background import queue
from runs.background.seats import long_task


def note(path: str, word: str) -> None:
    """Append `word` to the file."""
    with Path(path).open("a") as file:
        file.write(f"{word}\n")


def window(path: str, seconds: int) -> None:
    """Run for a long time, like the poller, but end at once when the worker is asked to stop."""
    note(path, "begun")
    end = time.monotonic() + seconds
    while time.monotonic() < end and not queue.stop_requested():
        time.sleep(0.05)
    note(path, "stopped" if queue.stop_requested() else "done")


def busy(path: str, seconds: int) -> None:
    """Stay busy without checking the stop flag."""
    note(path, "begun")
    time.sleep(seconds)
    note(path, "done")


def own_pid(path: str, seconds: int) -> None:
    """Record the id of this process and stay busy."""
    note(path, str(os.getpid()))
    time.sleep(seconds)


@long_task
def long_window(path: str, seconds: int) -> None:
    """Be one of the long tasks."""
    window(path, seconds)
