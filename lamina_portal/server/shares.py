"""How many connections each worker process holds, so that none takes most of them while another idles."""

import mmap
import struct
import time

SLOTS = 64  # workers at once; with more of them two share a slot, and a share is only a hint
SLOT = struct.Struct("dq")  # when it was written (monotonic seconds), connections
FRESH_SECONDS = 3.0  # a living worker writes every second
BOARD = mmap.mmap(-1, SLOTS * SLOT.size)  # made before the workers are, which all see the same memory


class Share:
    """One worker's place on the board; AGE is gunicorn's number of the worker."""

    def __init__(self, age: int) -> None:
        self.slot = age % SLOTS

    def tell(self, count: int) -> None:
        SLOT.pack_into(BOARD, self.slot * SLOT.size, time.monotonic(), count)

    def leave(self) -> None:
        SLOT.pack_into(BOARD, self.slot * SLOT.size, 0.0, 0)

    def is_above(self, count: int) -> bool:
        """Whether a living worker holds fewer than COUNT."""
        since = time.monotonic() - FRESH_SECONDS
        slots = enumerate(SLOT.iter_unpack(BOARD[: SLOTS * SLOT.size]))
        return any(told > since and held < count for slot, (told, held) in slots if slot != self.slot)
