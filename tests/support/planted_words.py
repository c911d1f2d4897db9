"""Files with a planted word in every field, damaged mostly near the words, and what guests' copies still contain.

The same number always gives the same file.
"""

import random
import subprocess
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageSequence

from runs.storage import metadata, sounds
from runs.storage.file_types import HEAD_BYTES, mp3_frame_bytes, sniff
from runs.storage.metadata import CannotStrip
from tests.support.damaged_files import CHANGES, SHORTEST, mend_sums, swap_blocks
from tests.support.secret_files import PICTURES, SECRET, SOUNDS, medium

OTHER = b"TERCES"
HEAD = 60  # the sizes of a file and of its sound are among its first bytes
NEAR = 80  # a field's name and size are near its word
DAMAGES = [change for change in CHANGES if change is not swap_blocks]  # that one moves words into the pixels itself


@dataclass
class Tally:
    """What became of the copies of many damaged files: refused, without words, broken (no program opens them), or with
    a word that the damage made part of the pixels or samples. `holes` are copies that still have a word elsewhere."""

    ends: Counter[str] = field(default_factory=Counter)
    holes: list[str] = field(default_factory=list)


@cache
def layouts() -> Mapping[str, tuple[bytes, tuple[int, ...]]]:
    """Return an intact file of each layout, and where its words are."""
    made = {layout: make() for layout, make in PICTURES.items()}
    made |= {layout: make()[0] for layout, make in SOUNDS.items()}
    made |= {f"usual.{ending}": medium(ending) for ending in ("mp3", "flac", "wav")}
    return {
        layout: (content, tuple(at for at in range(len(content)) if content.startswith(SECRET, at)))
        for layout, content in made.items()
    }


def damaged(number: int) -> tuple[str, bytes]:
    """Return the layout and bytes of damaged file `number`."""
    chance = random.Random(number)
    layout, (content, places) = [*layouts().items()][number % len(layouts())]
    body = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        place = chance.choice((*chance.choices(places, k=4), NEAR + HEAD, chance.randrange(len(content))))
        start = max(0, place - chance.randrange(NEAR))
        end = start + chance.choice((NEAR, 2 * NEAR, len(body)))
        window = body[start:end]
        if len(window) >= SHORTEST:
            chance.choice(DAMAGES)(chance, window)
            body[start:end] = window
    if layout.endswith("png"):
        mend_sums(body)  # otherwise, every change would only show up as a wrong checksum
    return layout, bytes(body)


def strip_all(numbers: range, folder: Path) -> Tally:
    """Make guests' copies of the damaged files with these numbers."""
    tally = Tally()
    for number in numbers:
        layout, content = damaged(number)
        copy = copied(content, folder)
        if copy is None:
            end = "refused"
        elif SECRET not in copy:
            end = "without words"
        elif (shown := shown_of(copy)) is None:
            end = "broken"
        elif is_in_pixels(copy) or shown != shown_of(copy.replace(SECRET, OTHER)):
            end = "in pixels or samples"
        else:
            end = "hole"
            tally.holes.append(f"{number} ({layout})")
        tally.ends[end] += 1
    return tally


def copied(content: bytes, folder: Path) -> bytes | None:
    """Return the copy for guests; None if there can't be one."""
    source, target = folder / "source", folder / "target"
    source.write_bytes(content)
    target.unlink(missing_ok=True)
    media_type = sniff(content[:HEAD_BYTES]).media_type
    try:
        (sounds if media_type in sounds.STRIPPERS else metadata).strip(source, target, media_type)
    except CannotStrip:
        return None
    return target.read_bytes()


def is_in_pixels(copy: bytes) -> bool:
    """Return whether the words are where only decoding tells what is used: in a JPEG's scans or an MP3's frames."""
    if copy.startswith(b"\xff\xd8"):
        return SECRET not in copy.partition(b"\xff\xda")[0]
    at = 0
    while size := mp3_frame_bytes(copy[at : at + 3]):
        at += size
    return at == len(copy)


def shown_of(copy: bytes) -> object:
    """Return what is seen or heard of a file; None if it can't be opened, since the portal refuses such pictures."""
    if not sniff(copy[:HEAD_BYTES]).media_type.startswith("image/"):
        command = ["ffmpeg", "-v", "quiet", "-i", "pipe:0", "-map", "0:a", "-f", "s16le", "pipe:1"]
        return subprocess.run(command, input=copy, capture_output=True, check=False, timeout=60).stdout or None
    try:
        with Image.open(BytesIO(copy)) as opened:
            return [frame.convert("RGBA").tobytes() for frame in ImageSequence.Iterator(opened)]
    except Exception:  # noqa: BLE001 - decoders raise anything
        return None
