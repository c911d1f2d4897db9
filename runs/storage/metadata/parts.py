"""Shared by the strippers: reading and copying pieces of untrusted files."""

from mmap import mmap
from typing import BinaryIO

BLOCK_BYTES = 256 * 1024
MOST_PARTS = 500_000  # per file; real ones of 50 MB have some thousands, each takes a few microseconds


class CannotStrip(Exception):
    """The file breaks its format, or the format is unknown."""


class Counter:
    """Limits the time that a file of countless empty parts can take."""

    def __init__(self) -> None:
        self._left = MOST_PARTS

    def count(self) -> None:
        """Count one more part. Raises `CannotStrip` at the first one too many."""
        self._left -= 1
        if self._left < 0:
            raise CannotStrip


def take(data: mmap, start: int, size: int) -> bytes:
    """The `size` bytes from `start` on, or raise `CannotStrip`."""
    found = data[start : start + size]
    if len(found) != size:
        raise CannotStrip
    return found


def copy(data: mmap, target: BinaryIO, start: int, end: int) -> None:
    """Copy the bytes from `start` to `end` to `target`, piece by piece."""
    if end > len(data):
        raise CannotStrip
    for at in range(start, end, BLOCK_BYTES):
        target.write(data[at : min(at + BLOCK_BYTES, end)])
