"""Copy the format and the sound of a WAV.

The sound has no frames, so its size must be known. Programs that stream a WAV can't know it yet, and write 0 or a size
beyond the end of the file. Chunks behind such a sound are found by their names, and so are chunks that a wrong size
makes part of the sound.
"""

import re
import struct
from mmap import mmap

from runs.storage.metadata.parts import CannotStrip, Counter, take
from runs.storage.sounds import tags
from runs.storage.sounds.parts import Sound

# Formats whose sound is only samples, and how many bytes of numbers describe it; more could be text
PCM, FLOAT, A_LAW, MU_LAW, IMA_ADPCM, EXTENSIBLE = 1, 3, 6, 7, 0x11, 0xFFFE
FORMAT_BYTES = {PCM: 16, FLOAT: 16, A_LAW: 16, MU_LAW: 16, IMA_ADPCM: 20, EXTENSIBLE: 40}
GUID_END = bytes.fromhex("000000001000800000aa00389b71")
# These can't be samples; a name is followed by a size.
TAGS = (
    re.compile(rb"LIST.{4}(?:INFO|adtl)", re.DOTALL),
    re.compile(rb"I[A-Z]{3}[^\0]\0\0\0[ -~]", re.DOTALL),
    re.compile(rb"id3 .{4}ID3", re.DOTALL),
    re.compile(rb"ID3[\x02-\x04][\0-\x0f].[\0-\x7f]{4}(?:[A-Z][A-Z0-9]{2}|\0)", re.DOTALL),
    re.compile(rb"APETAGEX[\xd0\xe8]"),
    re.compile(rb"LYRICSBEGIN"),
)
# These could be samples, too.
NAMES = (
    b"LIST", b"id3 ", b"ID3 ", b"bext", b"cart", b"iXML", b"axml", b"_PMX", b"C2PA", b"DISP", b"afsp", b"cue ",
    b"smpl", b"inst", b"plst", b"acid", b"umid", b"PEAK", b"JUNK", b"junk", b"PAD ", b"FLLR",
)  # fmt: skip
MOST_CHUNKS = 100  # behind the sound


def strip(sound: Sound) -> None:
    """Write the WAV with only its format and its sound. Raises `CannotStrip`."""
    data = sound.data
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise CannotStrip
    counter, at, form, fact = Counter(), 12, b"", b""
    while True:
        counter.count()
        name, size = struct.unpack("<4sI", take(data, at, 8))
        if name == b"data":
            break
        if name == b"fmt " and not form:
            form = _plain_format(take(data, at + 8, min(size, max(FORMAT_BYTES.values()))))
        elif name == b"fact" and size >= 4:
            fact = struct.pack("<4sI", name, 4) + take(data, at + 8, 4)
        at += 8 + size + size % 2
    end = _end_of_sound(data, at + 8, size)
    if not form or end <= at + 8:
        raise CannotStrip
    _write(sound, struct.pack("<4sI", b"fmt ", len(form)) + form + fact, at + 8, end)


def _write(sound: Sound, before: bytes, start: int, end: int) -> None:
    size = end - start
    whole = 4 + len(before) + 8 + size + size % 2
    if whole >= 1 << 32:
        raise CannotStrip
    sound.target.write(struct.pack("<4sI4s", b"RIFF", whole, b"WAVE") + before + struct.pack("<4sI", b"data", size))
    sound.keep(start, end)
    sound.target.write(bytes(size % 2))


def _plain_format(form: bytes) -> bytes:
    """Return only the numbers of the format. Raises `CannotStrip` for formats that we don't know."""
    code = int.from_bytes(form[:2], "little")
    needed = FORMAT_BYTES.get(code, 0)
    if not needed or len(form) < needed:
        raise CannotStrip
    if code == EXTENSIBLE:
        if form[26:] != GUID_END or int.from_bytes(form[24:26], "little") not in (PCM, FLOAT, A_LAW, MU_LAW):
            raise CannotStrip
        return form[:16] + struct.pack("<H", needed - 18) + form[18:]
    return form[:needed]


def _end_of_sound(data: mmap, start: int, size: int) -> int:
    """Return the end of the sound at `start`, which says it has `size` bytes. Raises `CannotStrip` in doubt."""
    last, whole = tags.end_before_tags(data), 8 + int.from_bytes(data[4:8], "little")
    is_known = 0 < size <= len(data) - start
    end, ends = (min(start + size, last) if is_known else last), {last, len(data), whole}
    after = end + size % 2
    if not is_known or not (data[after : after + 4] in NAMES or _are_chunks(data, after, ends)):
        chunk = _first_chunk(data, start, end)
        if _are_chunks(data, chunk, ends) and chunk < end:
            end = chunk
        elif is_known or chunk < end or start < whole <= len(data):  # a size is wrong, so anything could be text
            raise CannotStrip
    if any(tag.search(data, start, end) for tag in TAGS):
        raise CannotStrip
    return end


def _first_chunk(data: mmap, start: int, end: int) -> int:
    """Return where the first chunk with a usual name begins that fits before the end of the file; `end` if none
    does."""
    for name in NAMES:
        at = data.find(name, start, end)
        while at >= 0:
            if at + 8 + int.from_bytes(data[at + 4 : at + 8], "little") <= len(data):
                end = at
                break
            at = data.find(name, at + 1, end)
    return end


def _are_chunks(data: mmap, at: int, ends: set[int]) -> bool:
    """Return whether there are only chunks from `at` to one of `ends`; the last one may lack its padding."""
    for _ in range(MOST_CHUNKS):
        if at in ends or at - 1 in ends:
            return True
        if at + 8 > len(data):
            return False
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + size + size % 2
    return False
