"""Strip metadata from GIFs, block by block."""

from collections.abc import Iterator
from mmap import mmap
from typing import BinaryIO

from runs.storage.metadata.details import SEARCHED_BYTES, Details
from runs.storage.metadata.parts import CannotStrip, Counter, copy, take
from runs.storage.metadata.profile import plain_profile

EXTENSION, IMAGE, TRAILER = 0x21, 0x2C, 0x3B
FULL = (254, 255)  # bytes in a full sub-block of pixels
TIMING, APPLICATION = 0xF9, 0xFF
LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
PROFILE = b"ICCRGBG1012"
XMP = b"XMP DataXMP"
XMP_TRAILER = b"\x01" + bytes(range(0xFF, -1, -1)) + b"\x00"  # makes programs that read sub-blocks skip the packet


def strip(data: mmap, target: BinaryIO) -> None:
    """Write the GIF in `data` to `target` without metadata. Raises `CannotStrip`."""
    if data[:6] not in (b"GIF87a", b"GIF89a"):
        raise CannotStrip
    details, counter = Details(), Counter()
    at = 13 + _table_bytes(take(data, 6, 7)[4])
    copy(data, target, 0, at)
    while at < len(data) and data[at] != TRAILER:
        if data[at] == IMAGE:
            start, pixels = at, at + 11 + _table_bytes(take(data, at, 10)[9])
            at = _end_of_pixels(data, pixels, counter)
            copy(data, target, start, at)
        elif data[at] == EXTENSION:
            at = _extension(data, target, at, details, counter)
        else:
            raise CannotStrip
    if packet := details.xmp():
        target.write(bytes((EXTENSION, APPLICATION, len(XMP))) + XMP + packet + XMP_TRAILER)
    target.write(bytes((TRAILER,)))


def _table_bytes(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _blocks(data: mmap, at: int, counter: Counter) -> Iterator[tuple[int, int]]:
    """Yield the start and size of each sub-block from `at` on."""
    while at < len(data) and (size := data[at]):
        counter.count()
        yield at + 1, size
        at += 1 + size
    if at >= len(data):
        raise CannotStrip


def _end_of_pixels(data: mmap, at: int, counter: Counter) -> int:
    """Return the end of the sub-blocks with a picture's pixels. Encoders fill all of them, except for the last. Raises
    `CannotStrip` for others: they could be text that a wrong size includes."""
    end, last = at, 0
    for start, size in _blocks(data, at, counter):
        if last and (last not in FULL or size > last):
            raise CannotStrip
        end, last = start + size, size
    return end + 1


def _extension(data: mmap, target: BinaryIO, at: int, details: Details, counter: Counter) -> int:
    """Copy the extension at `at` if it affects how the pictures are shown, or read details from it; return where it
    ends."""
    blocks = list(_blocks(data, at + 2, counter))
    end = sum(blocks[-1]) + 1 if blocks else at + 3
    label, name, content = data[at + 1], data[at + 3 : at + 14], at + 14
    if label == TIMING and data[at + 2] == 4:
        target.write(data[at : at + 7] + bytes(1))
    elif label == APPLICATION and data[at + 2] == 11:
        if name in LOOPS and data[content : content + 2] == b"\x03\x01":
            target.write(data[at : content + 4] + bytes(1))
        elif name == PROFILE:
            _write_profile(target, b"".join(data[start : start + size] for start, size in blocks[1:]))
        elif name == XMP:
            details.read_xmp(data[content : min(end, content + SEARCHED_BYTES)])
    return end


def _write_profile(target: BinaryIO, profile: bytes) -> None:
    if plain := plain_profile(profile):
        parts = (plain[start : start + 255] for start in range(0, len(plain), 255))
        blocks = b"".join(bytes((len(part),)) + part for part in parts)
        target.write(bytes((EXTENSION, APPLICATION, len(PROFILE))) + PROFILE + blocks + bytes(1))
