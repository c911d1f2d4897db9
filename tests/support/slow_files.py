"""Files that take the strippers of pictures and sounds as long as possible, in any size."""

import io
import time
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from PIL import Image

from runs.storage import metadata, sounds
from runs.storage.metadata import CannotStrip
from tests.support.secret_files import chunk, riff, segment, sound, wav_with

type Maker = Callable[[int], bytes]
TERM = b"digitalSourceType"
XMP = b"XML:com.adobe.xmp\0"


def _filled(unit: bytes, size: int, before: bytes = b"", behind: bytes = b"") -> bytes:
    return before + unit * (size // len(unit)) + behind


def _picture(format: str) -> bytes:
    target = io.BytesIO()
    Image.radial_gradient("L").resize((64, 48)).save(target, format)
    return target.getvalue()


def _png(unit: bytes) -> Maker:
    plain = _picture("PNG")
    return lambda size: _filled(unit, size, plain[:33], plain[33:])


def _pixels(size: int) -> bytes:
    """Return a PNG whose pixels take a thousand times its size."""
    plain, packer = _picture("PNG"), zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1_000_000)) for _ in range(size // 1_000)) + packer.flush()
    return plain[:33] + chunk(b"IDAT", packed) + plain[-12:]


def _jpeg(unit: bytes) -> Maker:
    plain = _picture("JPEG")
    return lambda size: _filled(unit, size, plain[:2], plain[2:])


def _gif(unit: bytes, before: bytes = b"", behind: bytes = b"") -> Maker:
    plain = _picture("GIF")
    return lambda size: _filled(unit, size, plain[:-1] + before, behind + plain[-1:])


def _webp(unit: bytes) -> Maker:
    def make(size: int) -> bytes:
        frame = _filled(unit, size, bytes(16))
        content = b"WEBP" + riff(b"VP8X", b"\x02" + bytes(9)) + riff(b"ANMF", frame) + _picture("WEBP")[12:]
        return riff(b"RIFF", content)

    return make


def _sound(ending: str, unit: bytes) -> Maker:
    return lambda size: _filled(unit, size, sound(ending))


def _flac(unit: bytes) -> Maker:
    return lambda size: _filled(unit, size, b"fLaC\x80\0\0\x22" + bytes(34))


PACKED_TERMS = zlib.compress(TERM * 400_000, 9)
FLAC_HEADER = b"\xff\xf8\x79\x98\0\xff\xff\x13"  # of a frame with 65,536 samples
MAKERS: Mapping[str, tuple[str, Maker]] = {
    "PNG, packed texts": ("image/png", _png(chunk(b"zTXt", XMP + b"\0" + zlib.compress(bytes(8_000_000), 9)))),
    "PNG, texts of an unknown packing": ("image/png", _png(chunk(b"iTXt", XMP + b"\1\7\0\0" + PACKED_TERMS))),
    "PNG, packed terms": ("image/png", _png(chunk(b"iTXt", XMP + b"\1\0\0\0" + PACKED_TERMS))),
    "PNG, tiny packed texts": ("image/png", _png(chunk(b"iTXt", XMP + b"\1\0\0\0" + zlib.compress(b"")))),
    "PNG, terms": ("image/png", _png(chunk(b"iTXt", XMP + bytes(4) + TERM * 400))),
    "PNG, empty chunks": ("image/png", _png(chunk(b"prVt", b""))),
    "PNG, orientations": ("image/png", _png(chunk(b"eXIf", b"II*\0\x08\0\0\0\xff\xff" + bytes(6_000)))),
    "PNG, pixels": ("image/png", _pixels),
    "JPEG, empty segments": ("image/jpeg", _jpeg(segment(0xFE, b""))),
    "JPEG, terms": ("image/jpeg", _jpeg(segment(0xEB, TERM * 300))),
    "JPEG, orientations": ("image/jpeg", _jpeg(segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + bytes(6_000)))),
    "JPEG, tables": ("image/jpeg", _jpeg(segment(0xC4, bytes(17) * 300))),
    "JPEG, no markers": ("image/jpeg", _jpeg(b"\xff\0")),
    "GIF, comments": ("image/gif", _gif(b"\x21\xfe\1a\0")),
    "GIF, tiny blocks": ("image/gif", _gif(b"\1a", b"\x21\xfe", b"\0")),
    "GIF, pictures": ("image/gif", _gif(b"\x2c" + bytes(9) + b"\2\1a\0")),
    "GIF, terms": ("image/gif", _gif(b"\x21\xff\x0bXMP DataXMP" + (b"\xff" + TERM * 15) * 10 + b"\0")),
    "WebP, empty chunks": ("image/webp", _webp(b"prVt\0\0\0\0")),
    "WebP, empty pictures": ("image/webp", _webp(b"VP8 \0\0\0\0")),
    "MP3, ID3 tags without a size": ("audio/mpeg", _sound("mp3", b"ID3\xff")),
    "MP3, APE tags without a size": ("audio/mpeg", _sound("mp3", b"APETAGEX")),
    "MP3, headers": ("audio/mpeg", _sound("mp3", b"\xff\xfb\x90")),
    "MP3, pairs of frames": ("audio/mpeg", _sound("mp3", 2 * (b"\xff\xe3\x18" + bytes(69)) + b"\0")),
    "AAC, ID3 tags without a size": ("audio/aac", _sound("aac", b"ID3\xff")),
    "AAC, headers": ("audio/aac", _sound("aac", b"\xff\xf1\x50\x80\x00\x1f\xfc")),
    "AAC, tiny frames": ("audio/aac", _sound("aac", b"\xff\xf1\x50\x80\x01\x1f\xfc\0")),
    "FLAC, headers": ("audio/flac", _flac(FLAC_HEADER)),
    "FLAC, marks": ("audio/flac", _flac(b"\xff\xf8")),
    "FLAC, a header before marks": ("audio/flac", _flac(FLAC_HEADER + b"\xff\xf8" * 50_000)),
    "FLAC, empty blocks": ("audio/flac", lambda size: _filled(bytes(4), size, b"fLaC\0\0\0\x22" + bytes(34))),
    "WAV, names": ("audio/wav", lambda size: wav_with(_filled(b"LIST", size), 0, whole=0)),
    "WAV, empty chunks": ("audio/wav", lambda size: wav_with(_filled(b"LIST\0\0\0\0", size, behind=b"x"), 0, whole=0)),
    "WAV, chunks before the sound": ("audio/wav", lambda size: wav_with(b"", before=_filled(b"odd \0\0\0\0", size))),
}


def seconds_for(name: str, size: int, folder: Path, times: int = 2) -> float:
    """Return how much processor time a copy of about `size` bytes takes, the fastest of several `times`."""
    media_type, make = MAKERS[name]
    source, target = folder / "source", folder / "target"
    source.write_bytes(make(size))
    taken = []
    for _ in range(times):
        target.unlink(missing_ok=True)
        begun = time.thread_time()
        with suppress(CannotStrip):
            (sounds if media_type in sounds.STRIPPERS else metadata).strip(source, target, media_type)
        taken.append(time.thread_time() - begun)
    return min(taken)
