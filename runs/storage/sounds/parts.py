"""Helpers shared by the strippers for sounds."""

from collections.abc import Callable
from mmap import mmap
from typing import BinaryIO

from runs.storage.metadata.parts import BLOCK_BYTES, CannotStrip, copy

MOST_WASTE = 300_000  # each unit takes a few microseconds; an honest file of 1 GB wastes about 50,000
STEPS_PER_PAUSE = 5_000


class Sound:
    """An untrusted sound file in `data` and its copy in `target`, which limits the work that goes into the copy."""

    def __init__(self, data: mmap, target: BinaryIO, on_pause: Callable[[], None]) -> None:
        self.data = data
        self.target = target
        self.kept_bytes = 0
        self._on_pause = on_pause
        self._steps = 0
        self._waste_left = MOST_WASTE

    def keep(self, start: int, end: int) -> None:
        """Copy the bytes from `start` to `end`."""
        for at in range(start, end, BLOCK_BYTES):
            copy(self.data, self.target, at, min(at + BLOCK_BYTES, end))
            self._on_pause()
        self.kept_bytes += max(0, end - start)

    def step(self) -> None:
        """Count one frame. The size of the file limits how many there are."""
        self._steps += 1
        if self._steps % STEPS_PER_PAUSE == 0:
            self._on_pause()

    def waste(self, searched_bytes: int = 0) -> None:
        """Count a place that only looked like a frame, and the bytes searched for its end; both can be searched again
        from the next place. Raises `CannotStrip` if there are too many."""
        self.step()
        self._waste_left -= 1 + searched_bytes // 1000
        if self._waste_left < 0:
            raise CannotStrip
