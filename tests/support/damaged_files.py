"""Damaged files of every accepted kind: real files, changed the way transfers, disks and attackers change them.

The same number always gives the same file.
"""

import os
import random
import shutil
import struct
import subprocess
import tempfile
import time
import traceback
import zlib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from io import BytesIO
from pathlib import Path

from PIL import Image, TiffImagePlugin

PICTURES = ("png", "jpeg", "progressive", "gif", "webp", "lossless", "bmp", "tiff", "avif")
FILMS = ("mp4", "mov", "webm", "mkv", "mp3", "wav", "ogg", "flac", "m4a", "aac")
KINDS = PICTURES + FILMS
SIZE = (72, 54)
SHORTEST = 16  # bytes; anything shorter has nothing left to damage
FILM_SHARE = 0.25  # each film requires running ffmpeg twice, so there are fewer films than pictures
CODECS = {
    "mp4": ("-c:v", "libx264", "-c:a", "aac"),
    "mov": ("-c:v", "libx264", "-c:a", "aac"),
    "mkv": ("-c:v", "libx264", "-c:a", "aac"),
    "webm": ("-c:v", "libvpx", "-c:a", "libvorbis"),
    "mp3": ("-c:a", "libmp3lame"),
    "ogg": ("-c:a", "libvorbis"),
    "m4a": ("-c:a", "aac"),
    "aac": ("-c:a", "aac"),
}

type Change = Callable[[random.Random, bytearray], None]


@cache
def whole(kind: str) -> bytes:
    """Return a small intact file of `kind`."""
    return _film(kind) if kind in FILMS else _picture(kind)


def kinds() -> tuple[str, ...]:
    """Return the kinds that this machine can make: video and audio need ffmpeg."""
    return KINDS if shutil.which("ffmpeg") else PICTURES


def _picture(kind: str) -> bytes:
    noise = Image.effect_noise(SIZE, 40)
    picture = Image.merge("RGB", (noise, noise.transpose(Image.Transpose.ROTATE_180), Image.new("L", SIZE, 90)))
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x011A] = 6, "Camera", TiffImagePlugin.IFDRational(72, 1)
    target = BytesIO()
    options: dict[str, dict[str, object]] = {
        "jpeg": {"exif": exif},
        "progressive": {"exif": exif, "progressive": True},
        "png": {"exif": exif},
        "webp": {"exif": exif},
        "lossless": {"lossless": True},
        "avif": {"exif": exif, "speed": 10},
        "tiff": {"compression": "tiff_lzw"},
    }
    format = {"progressive": "JPEG", "lossless": "WEBP"}.get(kind, kind.upper())
    picture.save(target, format, **options.get(kind, {}))
    return target.getvalue()


def _film(kind: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"whole.{kind}"
        sources = ["-f", "lavfi", "-i", "sine=duration=0.4"]
        if kind in ("mp4", "mov", "mkv", "webm"):
            sources = ["-f", "lavfi", "-i", f"testsrc2=size={SIZE[0]}x{SIZE[1]}:rate=10:duration=0.4", *sources]
        command = ["ffmpeg", "-v", "error", "-nostdin", *sources, *CODECS.get(kind, ()), str(path)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=60)
        return path.read_bytes()


def damaged(number: int, film_share: float = FILM_SHARE) -> tuple[str, bytes]:
    """Return the kind and bytes of damaged file `number`."""
    chance = random.Random(number)
    films = [kind for kind in kinds() if kind in FILMS]
    kind = chance.choice(films if films and chance.random() < film_share else PICTURES)
    if number < len(GIVEN):
        return "jpeg", GIVEN[number]()
    body = bytearray(whole(kind))
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        if len(body) < SHORTEST:
            break
        chance.choice(CHANGES)(chance, body)
    if kind == "png" and chance.random() < 0.7:
        mend_sums(body)  # otherwise, every change would only show up as a wrong checksum
    return kind, bytes(body)


def flip_bits(chance: random.Random, body: bytearray) -> None:
    near = chance.choice((64, 1024, len(body)))  # headers are short, but reading them exercises most of the code
    for _ in range(chance.choice((1, 2, 8, 40))):
        body[chance.randrange(min(near, len(body)))] ^= 1 << chance.randrange(8)


def cut(chance: random.Random, body: bytearray) -> None:
    del body[chance.randrange(4, len(body)) :]


def swap_blocks(chance: random.Random, body: bytearray) -> None:
    size = chance.randrange(1, max(2, min(512, len(body) // 4)))
    first, second = (chance.randrange(max(1, len(body) - size)) for _ in range(2))
    body[first : first + size], body[second : second + size] = (
        body[second : second + size],
        body[first : first + size],
    )


def repeat_block(chance: random.Random, body: bytearray) -> None:
    start = chance.randrange(len(body))
    block = body[start : start + chance.randrange(1, 2000)]
    body[start:start] = block * chance.randrange(1, 20)


def drop_block(chance: random.Random, body: bytearray) -> None:
    start = chance.randrange(4, max(5, len(body)))
    del body[start : start + chance.randrange(1, 64)]


def set_number(chance: random.Random, body: bytearray) -> None:
    """Write a wrong size, count or offset."""
    at = chance.randrange(min(chance.choice((64, 1024, len(body))), len(body)))
    value = chance.choice((0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, chance.getrandbits(32)))
    body[at : at + 4] = struct.pack(chance.choice("<>") + "I", value)


def change_exif_type(chance: random.Random, body: bytearray) -> None:
    """Change the type of one metadata entry: to text, a fraction, a number of a different size, or an unknown type."""
    found = [at for mark in (b"II*\x00", b"MM\x00*") if (at := body.find(mark)) >= 0]
    if not found:
        return flip_bits(chance, body)
    start, order = found[0], "<" if body[found[0]] == 0x49 else ">"
    offset = int.from_bytes(body[start + 4 : start + 8], "little" if order == "<" else "big")
    entries = start + offset + 2
    at = entries + 12 * chance.randrange(4)
    if at + 12 <= len(body):
        struct.pack_into(f"{order}H", body, at + 2, chance.randrange(14))
    if chance.random() < 0.3 and at + 12 <= len(body):
        struct.pack_into(f"{order}H", body, at, chance.choice((0x0100, 0x0112, 0x011A, 0x8769, 0x927C)))
    return None


CHANGES: tuple[Change, ...] = (
    flip_bits,
    flip_bits,
    cut,
    swap_blocks,
    repeat_block,
    drop_block,
    set_number,
    set_number,
    change_exif_type,
)


def mend_sums(body: bytearray) -> None:
    """Correct the checksum of every recognisable chunk of a PNG."""
    at = 8
    while at + 12 <= len(body):
        size = int.from_bytes(body[at : at + 4], "big")
        if at + 12 + size > len(body):
            return
        struct.pack_into(">I", body, at + 8 + size, zlib.crc32(body[at + 4 : at + 8 + size]))
        at += 12 + size


def wrong_exif(tag: int) -> bytes:
    """Return an intact JPEG whose metadata has text as the value of `tag`, and an orientation that rotates the
    picture."""
    entries = [(0x0112, 3, 1, struct.pack("<HH", 6, 0)), (tag, 2, 4, b"abc\x00")]
    packed = b"".join(struct.pack("<HHI", tag, kind, count) + value for tag, kind, count, value in sorted(entries))
    exif = b"Exif\x00\x00II*\x00\x08\x00\x00\x00" + struct.pack("<H", len(entries)) + packed + bytes(4)
    target = BytesIO()
    Image.new("RGB", (64, 48), "#cc2200").save(target, "JPEG", exif=exif)
    return target.getvalue()


def wide_as_text() -> bytes:
    """Return a JPEG for which `ImageOps.exif_transpose` raises struct.error."""
    return wrong_exif(0x0100)


def resolution_as_text() -> bytes:
    """Return a JPEG for which `ImageOps.exif_transpose` raises TypeError."""
    return wrong_exif(0x011A)


GIVEN = (wide_as_text, resolution_as_text)


@dataclass
class Tally:
    """The outcomes for many damaged files. `ends` counts how many were saved, saved without a thumbnail, postponed or
    refused."""

    ends: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    uncaught: list[str] = field(default_factory=list)
    slowest_seconds: float = 0.0
    seconds: float = 0.0

    def add(self, number: int, kind: str, end: str, seconds: float) -> None:
        self.ends[end] += 1
        self.kinds[kind] += 1
        if end == "uncaught":
            self.uncaught.append(f"{number} ({kind})")
        self.slowest_seconds = max(self.slowest_seconds, seconds)


def look_at_all(count: int, folder: Path, film_share: float = FILM_SHARE) -> Tally:
    """Inspect the first `count` damaged files in the picture process, as many at a time as there are cores."""
    tally, begun = Tally(), time.monotonic()
    for kind in kinds():
        whole(kind)  # cache it now, or several threads might make it at once
    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        for found in threads.map(partial(_look_at, folder, film_share), range(count)):
            tally.add(*found)
    tally.seconds = time.monotonic() - begun
    return tally


def _look_at(folder: Path, film_share: float, number: int) -> tuple[int, str, str, float]:
    from runs.storage import media

    kind, body = damaged(number, film_share)
    path, begun = folder / str(number), time.monotonic()
    path.write_bytes(body)
    try:
        found = media.inspect(path)
        end = "follows" if found.follows else "kept" if found.small else f"kept without, {found.kind}"
    except media.NotMedia:
        end = "refused or later"
    except Exception:  # noqa: BLE001 - uncaught errors are what we look for
        traceback.print_exc()
        end = "uncaught"
    path.unlink()
    return number, kind, end, time.monotonic() - begun
