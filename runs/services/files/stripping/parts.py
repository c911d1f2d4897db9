"""What the strippers share: reading and copying pieces of a file that may be anything."""

from mmap import mmap
from typing import BinaryIO

BLOCK_BYTES = 256 * 1024
MOST_PARTS = 500_000  # of one file; an honest one of 50 MB has some thousands, each costs a few microseconds


class CannotStrip(Exception):
    """The file is not built as its format asks, or the format is none we know."""


class Counter:
    """Bounds the time that a file of countless empty parts may cost."""

    def __init__(self) -> None:
        self._left = MOST_PARTS

    def count(self) -> None:
        """One part more. Raises `CannotStrip` at the first one too many."""
        self._left -= 1
        if self._left < 0:
            raise CannotStrip


def take(data: mmap, start: int, size: int) -> bytes:
    """The SIZE bytes from START on, all of them or `CannotStrip`."""
    found = data[start : start + size]
    if len(found) != size:
        raise CannotStrip
    return found


def copy(data: mmap, target: BinaryIO, start: int, end: int) -> None:
    """Write the bytes from START up to END to TARGET, piece by piece."""
    if end > len(data):
        raise CannotStrip
    for at in range(start, end, BLOCK_BYTES):
        target.write(data[at : min(at + BLOCK_BYTES, end)])
