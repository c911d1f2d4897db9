"""Tracks how many connections each worker process has, so that the workers can share them evenly."""

import mmap
import struct
import time

SLOTS = 64  # how many workers can have their own slot; any more than that share slots, and counts are just a hint
SLOT = struct.Struct("dq")  # time of the last update (on the monotonic clock), and number of connections
FRESH_SECONDS = 3.0  # how long a slot counts as current; a running worker updates its slot every second
BOARD = mmap.mmap(-1, SLOTS * SLOT.size)  # created before the workers fork, so that they share this memory


class Share:
    """A worker's slot in the shared memory; `age` is the number that gunicorn gave the worker."""

    def __init__(self, age: int) -> None:
        self.slot = age % SLOTS

    def tell(self, count: int) -> None:
        SLOT.pack_into(BOARD, self.slot * SLOT.size, time.monotonic(), count)

    def leave(self) -> None:
        SLOT.pack_into(BOARD, self.slot * SLOT.size, 0.0, 0)

    def is_above(self, count: int) -> bool:
        """Return whether another running worker has fewer than `count` connections."""
        since = time.monotonic() - FRESH_SECONDS
        slots = enumerate(SLOT.iter_unpack(BOARD[: SLOTS * SLOT.size]))
        return any(told > since and held < count for slot, (told, held) in slots if slot != self.slot)
