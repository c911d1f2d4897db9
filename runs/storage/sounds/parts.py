"""Helpers shared by the strippers for sounds."""

from mmap import mmap
from typing import BinaryIO

from runs.storage.metadata.parts import CannotStrip, copy

WASTE = 4  # bytes searched in vain, per byte of the file; an honest file wastes hardly any
LEAST_WASTE = 1_000_000


class Sound:
    """An untrusted sound file in `data` and its copy in `target`, which limits the work that goes into the copy."""

    def __init__(self, data: mmap, target: BinaryIO) -> None:
        self.data = data
        self.target = target
        self.kept_bytes = 0
        self._waste_left = LEAST_WASTE + WASTE * len(data)

    def keep(self, start: int, end: int) -> None:
        """Copy the bytes from `start` to `end`."""
        copy(self.data, self.target, start, end)
        self.kept_bytes += max(0, end - start)

    def waste(self, searched_bytes: int) -> None:
        """Count bytes that were searched in vain, and can be searched again from the next place. Raises `CannotStrip`
        if there are too many for the size of the file."""
        self._waste_left -= searched_bytes
        if self._waste_left < 0:
            raise CannotStrip
