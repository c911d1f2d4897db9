"""Pictures without their metadata, byte for byte as they were otherwise: nothing is decoded, and no pixel changes.

What stays: the picture itself, its colours (ICC profile and the like), its animation, which way up it is, and the mark
that says it was made by AI (IPTC's `DigitalSourceType`). Whatever else a file can hold, known or not, is left out.
"""

from collections.abc import Callable, Mapping
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import BinaryIO

from runs.services.files.stripping import gif, jpeg, png, webp
from runs.services.files.stripping.parts import CannotStrip

__all__ = ["STRIPPERS", "CannotStrip", "strip"]

STRIPPERS: Mapping[str, Callable[[mmap, BinaryIO], None]] = {
    "image/png": png.strip,
    "image/jpeg": jpeg.strip,
    "image/webp": webp.strip,
    "image/gif": gif.strip,
}


def strip(source: Path, target: Path, media_type: str) -> None:
    """Write the picture at SOURCE, which is of MEDIA_TYPE by its content, to the new file TARGET without metadata.

    Takes a few MB of memory and a few seconds, whatever the file. Raises `CannotStrip` when it never can be done, and
    OSError when a disk is in trouble.
    """
    if media_type not in STRIPPERS or not source.stat().st_size:
        raise CannotStrip
    with source.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data, target.open("xb") as made:
        STRIPPERS[media_type](data, made)
