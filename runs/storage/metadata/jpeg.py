"""Strip metadata from JPEGs, marker by marker. Whatever follows the first picture, such as a camera's videos or
previews, is left out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import mmap
from typing import BinaryIO

from runs.storage.metadata.details import Details
from runs.storage.metadata.parts import CannotStrip, Counter, copy
from runs.storage.metadata.profile import plain_profile

START, END, SCAN = 0xD8, 0xD9, 0xDA
JFIF, EXIF_OR_XMP, PROFILE, C2PA, PHOTOSHOP, ADOBE = 0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xEE
HUFFMAN, QUANTIZATION, LINES, RESTARTS = 0xC4, 0xDB, 0xDC, 0xDD
# Frame markers. C8 is reserved, and CC is for arithmetic coding with unusual tables.
FRAMES = {*range(0xC0, 0xD0)} - {HUFFMAN, 0xC8, 0xCC}
# FF 00, and restarts inside a scan, don't count as markers
MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])", re.DOTALL)
JFIF_BYTES, ADOBE_BYTES = 14, 12
PROFILE_NAME = b"ICC_PROFILE\0"
PROFILE_START = len(PROFILE_NAME) + 2
PROFILE_BYTES = 65_533 - PROFILE_START  # the most that fits in a segment
XMP = b"http://ns.adobe.com/xap/1.0/\0"
LONG_XMP = b"http://ns.adobe.com/xmp/extension/\0"


@dataclass(frozen=True)
class Segment:
    """One segment: its marker starts at `start` and its content, of `size` bytes, at `body`; `end` is the byte after
    it, which for a scan is the end of its pixels."""

    marker: int
    start: int
    body: int
    size: int
    end: int


def strip(data: mmap, target: BinaryIO) -> None:
    """Write the JPEG in `data` to `target` without metadata. Raises `CannotStrip`."""
    if data[:2] != b"\xff\xd8":
        raise CannotStrip
    target.write(b"\xff\xd8")
    details, jfif, profile = _survey(data)
    if jfif:
        _write(target, JFIF, jfif)
    if exif := details.exif():
        _write(target, EXIF_OR_XMP, b"Exif\0\0" + exif)
    if packet := details.xmp():
        _write(target, EXIF_OR_XMP, XMP + packet)
    _write_profile(target, profile)
    has_scan = False
    for segment in _segments(data):
        body = data[segment.body : segment.body + segment.size]
        if segment.marker < JFIF:
            if not _is_plain(segment.marker, body):
                raise CannotStrip
            copy(data, target, segment.start, segment.end)
        elif segment.marker == ADOBE and body.startswith(b"Adobe") and len(body) >= ADOBE_BYTES:
            _write(target, ADOBE, b"Adobe\0\x64\0\0\0\0" + body[ADOBE_BYTES - 1 : ADOBE_BYTES])
        has_scan |= segment.marker == SCAN
    if not has_scan:
        raise CannotStrip
    target.write(b"\xff\xd9")


def _is_plain(marker: int, body: bytes) -> bool:
    """Return whether a segment of the picture is known, and contains only what it says: anything else could be text."""
    if marker in FRAMES:
        return len(body) == 6 + 3 * int.from_bytes(body[5:6])
    if marker == SCAN:
        return len(body) == 4 + 2 * int.from_bytes(body[:1])
    if marker in (LINES, RESTARTS):
        return len(body) == 2
    at = 0
    while marker in (HUFFMAN, QUANTIZATION) and at < len(body):  # one table after the other
        start = at + 17 if marker == HUFFMAN else at + 1
        at = start + (sum(body[at + 1 : start]) if marker == HUFFMAN else 128 if body[at] >> 4 else 64)
        numbers = body[start:at]
        if len(set(numbers)) < len(numbers) if marker == HUFFMAN else len(numbers) == 64 and 0 in numbers:
            return False  # codes are different from one another, and nothing is divided by zero
    return 0 < at == len(body)


def _survey(data: mmap) -> tuple[Details, bytes, bytes]:
    """Return the details from the segments before the first scan, the JFIF segment without its preview, and the colour
    profile without its texts."""
    details, jfif, profile = Details(), b"", dict[int, bytes]()
    for segment in _segments(data):
        if segment.marker == SCAN:
            break
        if segment.marker not in (JFIF, EXIF_OR_XMP, PROFILE, C2PA, PHOTOSHOP):
            continue
        body = data[segment.body : segment.end]
        if segment.marker == JFIF and body.startswith(b"JFIF\0") and len(body) >= JFIF_BYTES:
            jfif = jfif or b"JFIF\0\1\1" + body[7 : JFIF_BYTES - 2] + bytes(2)
        elif body.startswith(PROFILE_NAME) and len(body) >= PROFILE_START:
            profile[body[PROFILE_START - 2]] = body[PROFILE_START:]
        elif body.startswith(b"Exif\0\0"):
            details.read_exif(body)
        elif body.startswith((XMP, LONG_XMP)) or segment.marker in (C2PA, PHOTOSHOP):
            details.read_xmp(body)
    return details, jfif, plain_profile(b"".join(profile[number] for number in sorted(profile)))


def _write_profile(target: BinaryIO, profile: bytes) -> None:
    """Write the colour profile in as many segments as it takes; each says its number and how many there are."""
    starts = range(0, len(profile), PROFILE_BYTES)
    for number, start in enumerate(starts, 1):
        part = profile[start : start + PROFILE_BYTES]
        _write(target, PROFILE, PROFILE_NAME + bytes((number, len(starts))) + part)


def _segments(data: mmap) -> Iterator[Segment]:
    """Yield the segments of the first picture; a scan extends to the next marker. Data between segments is skipped,
    just as decoders skip it. A file that ends in the middle of a scan counts as complete."""
    counter, at = Counter(), 2
    while match := MARKER.search(data, at):
        counter.count()
        marker, start, body = match[1][0], match.start(), match.end()
        if marker == END:
            return
        if marker in (START, 0x01):  # a bare marker, without a length
            at = body
            continue
        end = body + int.from_bytes(data[body : body + 2], "big")
        if end < body + 2 or end > len(data):
            raise CannotStrip
        size = end - body - 2
        if marker == SCAN:
            following = MARKER.search(data, end)
            end = following.start() if following else len(data)
        yield Segment(marker, start, body + 2, size, end)
        at = end


def _write(target: BinaryIO, marker: int, body: bytes) -> None:
    target.write(bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body)
