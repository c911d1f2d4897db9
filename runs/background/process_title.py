"""The command line that `ps` shows for this process, for a process that was forked and not started by a command."""

import ctypes
import sys
from pathlib import Path

ARGUMENTS = slice(45, 47)  # of the fields in /proc/self/stat after the name: where they start and end in memory


def show(title: str) -> None:
    """Have `ps` show `title`, cut to the length of the command line that the first process was started with.

    Only on Linux; elsewhere, the command line stays as it is.
    """
    if sys.platform != "linux":
        return
    try:
        start, end = map(int, Path("/proc/self/stat").read_text().rpartition(")")[2].split()[ARGUMENTS])
    except (OSError, ValueError):
        return
    if 0 < start < end:
        ctypes.memmove(start, title.encode()[: end - start - 1].ljust(end - start, b"\0"), end - start)
