"""Read a picture's header: its size, its scans, and the memory needed to decode it. Nothing is decoded, so web threads
can use this. The values are untrusted, so they are checked again when the picture is decoded."""

import mmap
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

# Markers that begin a segment, and the end marker
JPEG_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])", re.DOTALL)
JPEG_FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
PROGRESSIVE = 0xC2
MAX_SCANS = 200  # real pictures have about ten scans; we stop counting here
MAX_SEGMENTS = 20_000  # the most segments a JPEG may have; a web thread mustn't count millions
MAX_TIFF_ENTRIES = 4096
AVIF_HEAD_BYTES = 64 * 1024
# How many bytes per pixel Pillow needs, according to our measurements. Pillow copies WebP and AVIF several times, and
# reads TIFF in strips.
BYTES_PER_POINT = {"PNG": 4.3, "GIF": 4.3, "BMP": 4.3, "TIFF": 8.0, "WEBP": 16.0, "AVIF": 9.5}
UNKNOWN_BYTES = 300 * 1024 * 1024


class UnreadableHeader(Exception):
    """The header is broken or truncated."""


@dataclass(frozen=True)
class Header:
    """What a header says. `width` and `height` are in pixels, as stored (before any rotation); 0 if the header doesn't
    say. `memory_bytes` is roughly the memory needed for decoding."""

    width: int
    height: int
    memory_bytes: int
    scans: int = 1

    @property
    def points(self) -> int:
        return self.width * self.height


def read_header(path: Path, reader: str) -> Header:
    """Read the header of the picture at `path`; `reader` is Pillow's name for its format. Raises `UnreadableHeader`."""
    try:
        with path.open("rb") as file:
            if reader == "JPEG":
                return _jpeg(file)
            width, height = READERS[reader](file)
    except (struct.error, ValueError, IndexError, OverflowError) as error:
        raise UnreadableHeader(f"{type(error).__name__}: {error}") from None
    if reader == "AVIF" and not width:
        return Header(0, 0, UNKNOWN_BYTES)
    if not width or not height:
        raise UnreadableHeader("no size")
    return Header(width, height, int(width * height * BYTES_PER_POINT[reader]))


def _png(file: BinaryIO) -> tuple[int, int]:
    file.seek(8)
    for _ in range(16):  # IHDR comes first, except in files from some phones
        length, name = struct.unpack(">I4s", file.read(8))
        if name == b"IHDR":
            width, height = struct.unpack(">II", file.read(8))
            return width, height
        file.seek(length + 4, 1)
    raise ValueError("no IHDR")


def _gif(file: BinaryIO) -> tuple[int, int]:
    width, height = struct.unpack("<HH", file.read(10)[6:])
    return width, height


def _bmp(file: BinaryIO) -> tuple[int, int]:
    head = file.read(26)
    if struct.unpack_from("<I", head, 14)[0] == 12:  # the OS/2 format
        width, height = struct.unpack_from("<HH", head, 18)
        return width, height
    width, height = struct.unpack_from("<ii", head, 18)  # a negative height means that the top row comes first
    return abs(width), abs(height)


def _webp(file: BinaryIO) -> tuple[int, int]:
    head = file.read(30)
    match head[12:16]:
        case b"VP8X":
            return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
        case b"VP8L":
            bits = struct.unpack_from("<I", head, 21)[0]
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", head, 26)
            return width & 0x3FFF, height & 0x3FFF
    raise ValueError("no known chunk")


def _tiff(file: BinaryIO) -> tuple[int, int]:
    order = "<" if file.read(2) == b"II" else ">"
    file.seek(4)
    file.seek(struct.unpack(f"{order}I", file.read(4))[0])
    count = min(struct.unpack(f"{order}H", file.read(2))[0], MAX_TIFF_ENTRIES)
    values: dict[int, int] = {}
    for _ in range(count):
        entry = file.read(12)
        tag, kind = struct.unpack_from(f"{order}HH", entry)
        if tag in (256, 257):
            values[tag] = struct.unpack_from(f"{order}{'H' if kind == 3 else 'I'}", entry, 8)[0]
    return values.get(256, 0), values.get(257, 0)


def _avif(file: BinaryIO) -> tuple[int, int]:
    """Return the largest dimensions of any item, which are those of the picture itself, or of the grid it is made from.
    Return (0, 0) if the sizes come later in the file."""
    head = file.read(AVIF_HEAD_BYTES)
    sizes = [struct.unpack_from(">II", head, match.end() + 4) for match in re.finditer(b"ispe", head)]
    width, height = max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))
    return width, height


def _jpeg(file: BinaryIO) -> Header:
    """Read marker by marker, as a decoder does. A segment may contain bytes that look like the end marker, and data
    after the end, such as a video appended by a phone, may look like scans."""
    size, memory, scans, is_progressive, segments, at = (0, 0), 0, 0, False, 0, 2
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        while scans <= MAX_SCANS and (match := JPEG_MARKER.search(data, at)) and match[1] != b"\xd9":
            marker, at, segments = match[1][0], match.end(), segments + 1
            if segments > MAX_SEGMENTS:
                raise ValueError("more segments than any picture has")
            if marker in JPEG_FRAMES:
                size, memory = _jpeg_frame(data[at : at + 8 + 3 * 255])
                is_progressive = marker == PROGRESSIVE
            scans += marker == 0xDA
            at += max(2, int.from_bytes(data[at : at + 2], "big"))
    if not size[0] or not size[1]:
        raise ValueError("no size")
    # Baseline JPEGs with a single scan can be shrunk while they are decoded, so they take little memory
    is_kept_whole = is_progressive or scans > 1
    return Header(*size, memory if is_kept_whole else 0, max(scans, 1))


def _jpeg_frame(segment: bytes) -> tuple[tuple[int, int], int]:
    """Return the picture's dimensions, and the memory that all its coefficients take: two bytes per pixel and colour
    component."""
    height, width, count = struct.unpack_from(">HHB", segment, 3)
    factors = [segment[8 + 3 * n + 1] for n in range(count)]
    across, down = max(f >> 4 for f in factors), max(f & 15 for f in factors)
    shares = sum((f >> 4) * (f & 15) for f in factors) / ((across * down) or 1)
    return (width, height), int(2 * width * height * shares)


READERS: dict[str, Callable[[BinaryIO], tuple[int, int]]] = {
    "PNG": _png, "GIF": _gif, "BMP": _bmp, "WEBP": _webp, "TIFF": _tiff, "AVIF": _avif
}  # fmt: skip
