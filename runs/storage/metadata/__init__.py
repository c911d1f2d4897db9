"""Remove metadata from pictures without decoding them, so that no pixel changes.

We keep the picture, its colours (ICC profile and the like), animation and orientation, and the label for AI-generated
pictures (IPTC's `DigitalSourceType`). Everything else is removed, whether or not we know what it is.
"""

from collections.abc import Callable, Mapping
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import BinaryIO

from runs.storage.metadata import gif, jpeg, png, webp
from runs.storage.metadata.parts import CannotStrip

__all__ = ["STRIPPERS", "CannotStrip", "strip"]

STRIPPERS: Mapping[str, Callable[[mmap, BinaryIO], None]] = {
    "image/png": png.strip,
    "image/jpeg": jpeg.strip,
    "image/webp": webp.strip,
    "image/gif": gif.strip,
}


def strip(source: Path, target: Path, media_type: str) -> None:
    """Copy the picture at `source` to the new file `target` without metadata; `media_type` is the type detected from
    its content.

    Takes a few MB of memory and at most a few seconds. Raises `CannotStrip` if a retry can't help, and OSError for disk
    problems.
    """
    if media_type not in STRIPPERS or not source.stat().st_size:
        raise CannotStrip
    with source.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data, target.open("xb") as out:
        STRIPPERS[media_type](data, out)
