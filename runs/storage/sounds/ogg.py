"""Check the copies that ffmpeg makes of Oggs."""

import re
from mmap import ACCESS_READ, mmap
from pathlib import Path

from runs.storage.metadata.parts import CannotStrip

STREAM = re.compile(rb"OggS\0[\x02\x03\x06\x07]")  # the page that begins a stream
TITLES = re.compile(rb"\x03vorbis|OpusTags|\x7fFLAC\x01|Speex   ")  # one per stream, in front of its titles or in it


def demand_plain(copy: Path) -> None:
    """Raise `CannotStrip` if the original had been joined from several Oggs: ffmpeg takes the titles of all but the
    first for sound."""
    with copy.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        if _count(TITLES, data) > _count(STREAM, data):
            raise CannotStrip


def _count(pattern: re.Pattern[bytes], data: mmap) -> int:
    return sum(1 for _ in pattern.finditer(data))
