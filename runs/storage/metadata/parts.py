"""Helpers shared by the strippers, for reading and copying parts of untrusted files."""

from mmap import mmap
from typing import BinaryIO

BLOCK_BYTES = 256 * 1024
# The most parts a file may have; real 50 MB files have a few thousand, and each part takes a few microseconds
MOST_PARTS = 500_000


class CannotStrip(Exception):
    """The file is malformed, or its format is unknown."""


class Counter:
    """Limits the number of parts in a file, so that a file with countless empty parts can't take forever."""

    def __init__(self) -> None:
        self._left = MOST_PARTS

    def count(self) -> None:
        """Count one more part. Raises `CannotStrip` if there are too many."""
        self._left -= 1
        if self._left < 0:
            raise CannotStrip


def take(data: mmap, start: int, size: int) -> bytes:
    """Return `size` bytes starting at `start`. Raises `CannotStrip` if there are fewer."""
    part = data[start : start + size]
    if len(part) != size:
        raise CannotStrip
    return part


def copy(data: mmap, target: BinaryIO, start: int, end: int) -> None:
    """Copy the bytes from `start` to `end` to `target`, block by block."""
    if end > len(data):
        raise CannotStrip
    for at in range(start, end, BLOCK_BYTES):
        target.write(data[at : min(at + BLOCK_BYTES, end)])
