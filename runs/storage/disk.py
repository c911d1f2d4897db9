"""Free disk space, and user-facing messages for when a file can't be saved."""

import errno
import shutil

from django.core.files.storage import default_storage

from runs.models.messages import Message
from runs.storage.store import StorageAway

DISK_FULL = Message("disk_full")
DISK_TROUBLE = Message("disk_trouble")
STORAGE_AWAY = Message("storage_away")
LITTLE_ROOM, NO_ROOM = 3_000_000_000, 300_000_000  # bytes


def disk_message(error: OSError) -> Message:
    """Return the user-facing message for `error`."""
    if isinstance(error, StorageAway):
        return STORAGE_AWAY
    return DISK_FULL if error.errno in {errno.ENOSPC, errno.EDQUOT} else DISK_TROUBLE


def is_full() -> bool:
    """Return whether the disk has no room left for results. While it is full, no runs are started: they would cost
    credits, and their results would be lost."""
    free = free_bytes()
    return free is not None and free < NO_ROOM


def free_bytes() -> int | None:
    """Return how many bytes are free on the disk; None for a bucket, or if nothing has been saved yet."""
    try:
        return shutil.disk_usage(default_storage.path("")).free
    except (NotImplementedError, FileNotFoundError):
        return None
