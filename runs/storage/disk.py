"""Messages for people when a file can't be saved."""

import errno

from runs.models.messages import Message
from runs.storage.store import StorageAway

DISK_FULL = Message("disk_full")
DISK_TROUBLE = Message("disk_trouble")
STORAGE_AWAY = Message("storage_away")


def disk_message(error: OSError) -> Message:
    """Return the message for `error`."""
    if isinstance(error, StorageAway):
        return STORAGE_AWAY
    return DISK_FULL if error.errno in {errno.ENOSPC, errno.EDQUOT} else DISK_TROUBLE
