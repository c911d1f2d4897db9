"""Strip metadata from JPEGs, marker by marker. Whatever follows the first picture, such as a camera's videos or
previews, is left out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import mmap
from typing import BinaryIO

from runs.storage.metadata.details import Details
from runs.storage.metadata.parts import CannotStrip, Counter, copy

START, END, SCAN = 0xD8, 0xD9, 0xDA
JFIF, EXIF_OR_XMP, PROFILE, C2PA, PHOTOSHOP, ADOBE = 0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xEE
# Frame markers, plus the ones for Huffman tables (C4) and arithmetic coding tables (CC)
FRAMES = (*range(0xC0, 0xC8), *range(0xC9, 0xD0))
PICTURE = {*FRAMES, 0xDA, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF}
# FF 00, and restarts inside a scan, don't count as markers
MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])", re.DOTALL)
JFIF_BYTES, ADOBE_BYTES = 14, 12
XMP = b"http://ns.adobe.com/xap/1.0/\0"
LONG_XMP = b"http://ns.adobe.com/xmp/extension/\0"


@dataclass(frozen=True)
class Segment:
    """One segment: its marker starts at `start` and its content at `body`; `end` is the byte after it."""

    marker: int
    start: int
    body: int
    end: int


def strip(data: mmap, target: BinaryIO) -> None:
    """Write the JPEG in `data` to `target` without metadata. Raises `CannotStrip`."""
    if data[:2] != b"\xff\xd8":
        raise CannotStrip
    details, jfif = _survey(data)
    target.write(b"\xff\xd8")
    if jfif:
        _write(target, JFIF, jfif)
    if exif := details.exif():
        _write(target, EXIF_OR_XMP, b"Exif\0\0" + exif)
    if packet := details.xmp():
        _write(target, EXIF_OR_XMP, XMP + packet)
    has_scan = False
    for segment in _segments(data):
        if segment.marker in PICTURE or _is_profile(data, segment):
            copy(data, target, segment.start, segment.end)
        elif segment.marker == ADOBE and data[segment.body : segment.body + 5] == b"Adobe":
            _write(target, ADOBE, data[segment.body : min(segment.body + ADOBE_BYTES, segment.end)])
        has_scan |= segment.marker == SCAN
    if not has_scan:
        raise CannotStrip
    target.write(b"\xff\xd9")


def _survey(data: mmap) -> tuple[Details, bytes]:
    """Return the details from the segments before the first scan, and the JFIF segment without its preview."""
    details, jfif = Details(), b""
    for segment in _segments(data):
        if segment.marker == SCAN:
            break
        if segment.marker not in (JFIF, EXIF_OR_XMP, C2PA, PHOTOSHOP):
            continue
        body = data[segment.body : segment.end]
        if segment.marker == JFIF and body.startswith(b"JFIF\0") and len(body) >= JFIF_BYTES:
            jfif = jfif or body[: JFIF_BYTES - 2] + bytes(2)
        elif body.startswith(b"Exif\0\0"):
            details.read_exif(body)
        elif body.startswith((XMP, LONG_XMP)) or segment.marker in (C2PA, PHOTOSHOP):
            details.read_xmp(body)
    return details, jfif


def _is_profile(data: mmap, segment: Segment) -> bool:
    return segment.marker == PROFILE and data[segment.body : segment.body + 12] == b"ICC_PROFILE\0"


def _segments(data: mmap) -> Iterator[Segment]:
    """Yield the segments of the first picture; a scan extends to the next marker. Data between segments is skipped,
    just as decoders skip it. A file that ends in the middle of a scan counts as complete."""
    counter, at = Counter(), 2
    while found := MARKER.search(data, at):
        counter.count()
        marker, start, body = found[1][0], found.start(), found.end()
        if marker == END:
            return
        if marker in (START, 0x01):  # a bare marker, without a length
            at = body
            continue
        end = body + int.from_bytes(data[body : body + 2], "big")
        if end < body + 2 or end > len(data):
            raise CannotStrip
        if marker == SCAN:
            following = MARKER.search(data, end)
            end = following.start() if following else len(data)
        yield Segment(marker, start, body + 2, end)
        at = end


def _write(target: BinaryIO, marker: int, body: bytes) -> None:
    target.write(bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body)
