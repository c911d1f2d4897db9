"""What people read when the place for files doesn't take one."""

import errno

from runs.storage.store import StorageAway

DISK_FULL = "There is no room left on the portal's disk, so the file could not be kept. An administrator can make room."
DISK_TROUBLE = "The portal could not keep the file just now. Try it again in a moment."
STORAGE_AWAY = "The place where the portal keeps its files cannot be reached just now. Try it again in a moment."


def disk_sentence(error: OSError) -> str:
    """What to tell people when the disk would not take a file."""
    if isinstance(error, StorageAway):
        return STORAGE_AWAY
    return DISK_FULL if error.errno in {errno.ENOSPC, errno.EDQUOT} else DISK_TROUBLE
