"""Strip metadata from WebPs, still or animated, chunk by chunk, including the chunks in frames."""

import struct
from collections.abc import Iterator
from mmap import mmap
from typing import BinaryIO

from runs.storage.metadata.details import SEARCHED_BYTES, Details
from runs.storage.metadata.parts import CannotStrip, Counter, copy, take
from runs.storage.metadata.profile import plain_profile

PICTURES = (b"VP8 ", b"VP8L", b"ALPH")
HAS_PROFILE, HAS_ALPHA, HAS_EXIF, HAS_XMP, IS_ANIMATED = 0x20, 0x10, 0x08, 0x04, 0x02
FRAME_BYTES = 16
type Chunk = tuple[bytes, int, int]  # name, then start and end of the content


def strip(data: mmap, target: BinaryIO) -> None:
    """Write the WebP in `data` to `target` without metadata. Raises `CannotStrip`."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise CannotStrip
    counter = Counter()
    chunks = list(_chunks(data, 12, 8 + int.from_bytes(data[4:8], "little"), counter))
    if not chunks:
        raise CannotStrip
    target.write(b"RIFF\0\0\0\0WEBP")
    if chunks[0][0] == b"VP8X":
        _write_extended(data, target, chunks, counter)
    elif chunks[0][0] in PICTURES[:2]:
        _copy_chunk(data, target, chunks[0])  # a simple file needs nothing else
    else:
        raise CannotStrip
    size = target.tell() - 8
    target.seek(4)
    target.write(struct.pack("<I", size))


def _chunks(data: mmap, at: int, end: int, counter: Counter) -> Iterator[Chunk]:
    """Yield the chunks from `at` to `end`; the last one may lack its padding. Raises `CannotStrip` if they end
    elsewhere: then a wrong size could have made one of them part of the pixels."""
    while at < end:
        counter.count()
        name, size = struct.unpack("<4sI", take(data, at, 8))
        yield name, at + 8, at + 8 + size
        at += 8 + size + size % 2
    if at not in (end, end + 1) or end > len(data):
        raise CannotStrip


def _write_extended(data: mmap, target: BinaryIO, chunks: list[Chunk], counter: Counter) -> None:
    details = Details()
    for name, start, end in chunks:
        content = data[start : min(end, start + SEARCHED_BYTES)] if name in (b"EXIF", b"XMP ", b"C2PA") else b""
        if name == b"EXIF":
            details.read_exif(content)
        elif content:
            details.read_xmp(content)
    exif, xmp = details.exif(), details.xmp()
    profile = next((plain_profile(data[start:end]) for name, start, end in chunks if name == b"ICCP"), b"")
    _write(target, b"VP8X", _header(data, chunks[0], profile=profile, exif=exif, xmp=xmp))
    if profile:
        _write(target, b"ICCP", profile)
    has_loop = False
    for chunk in chunks[1:]:
        name, start, end = chunk
        if name == b"ANIM" and not has_loop:
            has_loop = True
            _write(target, name, take(data, start, 6))
        elif name == b"ANMF":
            _write_frame(data, target, start, end, counter)
        elif name in PICTURES:
            _copy_chunk(data, target, chunk)
    for name, content in ((b"EXIF", exif), (b"XMP ", xmp)):
        if content:
            _write(target, name, content)


def _header(data: mmap, chunk: Chunk, *, profile: bytes, exif: bytes, xmp: bytes) -> bytes:
    content = take(data, chunk[1], 10)
    flags = content[0] & (HAS_ALPHA | IS_ANIMATED)
    flags |= (HAS_PROFILE if profile else 0) | (HAS_EXIF if exif else 0) | (HAS_XMP if xmp else 0)
    return bytes((flags, 0, 0, 0)) + content[4:]


def _write_frame(data: mmap, target: BinaryIO, start: int, end: int, counter: Counter) -> None:
    if start + FRAME_BYTES > end:
        raise CannotStrip
    within = [chunk for chunk in _chunks(data, start + FRAME_BYTES, end, counter) if chunk[0] in PICTURES]
    size = FRAME_BYTES + sum(8 + (e - s) + (e - s) % 2 for _, s, e in within)
    target.write(struct.pack("<4sI", b"ANMF", size) + data[start : start + FRAME_BYTES])
    for chunk in within:
        _copy_chunk(data, target, chunk)


def _copy_chunk(data: mmap, target: BinaryIO, chunk: Chunk) -> None:
    name, start, end = chunk
    target.write(struct.pack("<4sI", name, end - start))
    copy(data, target, start, end)
    target.write(bytes((end - start) % 2))


def _write(target: BinaryIO, name: bytes, content: bytes) -> None:
    target.write(struct.pack("<4sI", name, len(content)) + content + bytes(len(content) % 2))
