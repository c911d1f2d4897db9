"""Strip metadata from PNGs, animated or not, chunk by chunk."""

import struct
import zlib
from collections.abc import Iterator
from mmap import mmap
from typing import BinaryIO

from runs.storage.metadata.details import SEARCHED_BYTES, Details
from runs.storage.metadata.parts import BLOCK_BYTES, CannotStrip, Counter, copy, take
from runs.storage.metadata.profile import plain_profile

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PIXELS = (b"IDAT", b"fdAT")
# Chunks that contain only numbers about the picture, with their maximum length. Any longer chunk has something else in
# it.
NUMBERS = {
    b"IHDR": 13, b"PLTE": 768, b"tRNS": 256, b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"pHYs": 9, b"sBIT": 4, b"bKGD": 6,
    b"cICP": 4, b"mDCV": 24, b"cLLI": 8, b"mDCv": 24, b"cLLi": 8, b"acTL": 8, b"fcTL": 26,
}  # fmt: skip
REPEATED = (b"fcTL",)
XMP = b"XML:com.adobe.xmp\0"
PROFILE_BYTES = 16_000_000  # limit after decompression; profiles for printing run to a few MB


def strip(data: mmap, target: BinaryIO) -> None:
    """Write the PNG in `data` to `target` without metadata. Raises `CannotStrip`."""
    if data[:8] != SIGNATURE:
        raise CannotStrip
    details, pixels = _survey(data), _Pixels()
    target.write(SIGNATURE)
    names: set[bytes] = set()
    for name, start, size in _chunks(data):
        is_head = name == b"IHDR" and name not in names
        if name in PIXELS:
            pixels.check(data, start, start + size, is_frame=name == b"fdAT")
            copy(data, target, start - 8, start + size + 4)
        elif name in NUMBERS or name == b"iCCP":
            _keep(data[start : start + min(size, PROFILE_BYTES)], name, target, names)
        if is_head:
            _write_details(target, details)
    pixels.check_end()
    _write(target, b"IEND", b"")


class _Pixels:
    """Unpacks the pixels and forgets them: it only matters that nothing else is among them or behind them."""

    def __init__(self) -> None:
        self._unpacker = zlib.decompressobj()

    def check(self, data: mmap, start: int, end: int, *, is_frame: bool) -> None:
        """Check the chunk from `start` to `end`. Raises `CannotStrip` if it contains anything but packed pixels."""
        if is_frame:  # begins with its number
            start += 4
            if self._unpacker.eof:
                self._unpacker = zlib.decompressobj()
        for at in range(start, end, BLOCK_BYTES):
            block = data[at : min(at + BLOCK_BYTES, end)]
            try:
                while block:
                    self._unpacker.decompress(block, BLOCK_BYTES)
                    block = self._unpacker.unconsumed_tail
            except zlib.error:
                raise CannotStrip from None
        if self._unpacker.unused_data:
            raise CannotStrip

    def check_end(self) -> None:
        """Raises `CannotStrip` if the pixels aren't complete."""
        if not self._unpacker.eof:
            raise CannotStrip


def _chunks(data: mmap) -> Iterator[tuple[bytes, int, int]]:
    """Yield each chunk's name, and the start and size of its content, up to IEND."""
    counter, at = Counter(), 8
    while True:
        counter.count()
        size, name = struct.unpack(">I4s", take(data, at, 8))
        if at + 12 + size > len(data):
            raise CannotStrip
        if name == b"IEND":
            return
        yield name, at + 8, size
        at += 12 + size


def _survey(data: mmap) -> Details:
    """Return the details from the chunks that will be removed."""
    details = Details()
    for name, start, size in _chunks(data):
        if name in PIXELS or name in NUMBERS or name == b"iCCP":
            continue
        if name[:1].isupper():
            raise CannotStrip  # an unknown critical chunk; the picture can't be shown without it
        content = data[start : start + min(size, SEARCHED_BYTES)] if name in (b"eXIf", b"caBX", b"iTXt") else b""
        if name == b"eXIf":
            details.read_exif(content)
        elif name == b"caBX":
            details.read_xmp(content)
        elif content.startswith(XMP):
            details.read_xmp(_text(content, details.unsearched_bytes))
    return details


def _write_details(target: BinaryIO, details: Details) -> None:
    if exif := details.exif():
        _write(target, b"eXIf", exif)
    if packet := details.xmp():
        _write(target, b"iTXt", XMP + bytes(4) + packet)


def _keep(content: bytes, name: bytes, target: BinaryIO, names: set[bytes]) -> None:
    if name in names and name not in REPEATED:
        return
    names.add(name)
    if name == b"iCCP":
        content = _plain_profile(content)
    elif len(content) > NUMBERS[name]:
        if name in (b"IHDR", b"PLTE"):
            raise CannotStrip
        content = b""
    if content:
        _write(target, name, content)


def _plain_profile(content: bytes) -> bytes:
    """Return the colours of the ICC profile: its name in the chunk could be any text, and more data may follow it. A
    broken profile is left out; decoders ignore it anyway."""
    unpacker = zlib.decompressobj()
    try:
        unpacked = unpacker.decompress(content.partition(b"\0")[2][1:], PROFILE_BYTES)
    except zlib.error:
        return b""
    if len(unpacked) == PROFILE_BYTES:
        raise CannotStrip  # without its profile, a picture's colours would change
    profile = plain_profile(unpacked) if unpacker.eof else b""
    return b"icc\0\0" + zlib.compress(profile) if profile else b""


def _text(content: bytes, most_bytes: int) -> bytes:
    """Return the text of an iTXt chunk: at most `most_bytes`, if it has to be unpacked."""
    value = content.partition(b"\0")[2]
    text = value[2:].split(b"\0", 2)[-1]
    if not value.startswith(b"\1"):
        return text
    try:
        return zlib.decompressobj().decompress(text, most_bytes) if value.startswith(b"\1\0") and most_bytes else b""
    except zlib.error:
        return b""


def _write(target: BinaryIO, name: bytes, content: bytes) -> None:
    checked = name + content
    target.write(struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked)))
