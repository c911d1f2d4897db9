"""Copy the frames of an MP3 or AAC (ADTS). Each frame's header says where the next one begins."""

import re
from collections.abc import Callable
from mmap import mmap

from runs.storage.file_types import mp3_frame_bytes
from runs.storage.metadata.parts import CannotStrip
from runs.storage.sounds import tags
from runs.storage.sounds.parts import Sound

type Header = tuple[int, bytes]  # the frame's size in bytes, and what all frames of a recording have in common
type Reader = Callable[[mmap, int], Header | None]

# Where to look next: at what could be a frame, or at a tag whose size says what to skip
MP3_MARK = re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb]|ID3|APETAGEX")
AAC_MARK = re.compile(rb"\xff[\xf0\xf1\xf8\xf9]|ID3|APETAGEX")
# All MP3 headers, by the three bytes that matter here
MP3_HEADERS: dict[bytes, Header] = {
    head: (size, bytes((second & 0x18, third & 0x0C)))
    for second in (0xE2, 0xE3, 0xF2, 0xF3, 0xFA, 0xFB)
    for third in range(256)
    if (size := mp3_frame_bytes(head := bytes((0xFF, second, third))))
}
AAC_HEADER_BYTES = 7
AAC_RATES = 13
FEWEST = 2  # frames in a row, with a third behind them; fewer could be pieces of a picture in a tag


def strip_mp3(sound: Sound) -> None:
    """Write the MP3 without its tags. Raises `CannotStrip`."""
    _strip(sound, MP3_MARK, lambda data, at: MP3_HEADERS.get(data[at : at + 3]))


def strip_aac(sound: Sound) -> None:
    """Write the AAC without its tags. Raises `CannotStrip`."""
    _strip(sound, AAC_MARK, _aac_header)


def _aac_header(data: mmap, at: int) -> Header | None:
    head = data[at : at + AAC_HEADER_BYTES]
    if len(head) < AAC_HEADER_BYTES or head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or head[2] >> 2 & 15 >= AAC_RATES:
        return None
    size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return (size, bytes((head[1], head[2], head[3] & 0xC0))) if size > AAC_HEADER_BYTES else None


def _strip(sound: Sound, mark: re.Pattern[bytes], read: Reader) -> None:
    data, end = sound.data, tags.end_before_tags(sound.data)
    at = 0
    while at < end:
        after = _end_of_row(sound, read, at, end)
        if after > at:
            sound.keep(at, after)
        else:
            after = tags.end_of_tag(data, at)
        if after == at:
            match = mark.search(data, at + 1, end)
            after = match.start() if match else end
        at = after
    if not sound.kept_bytes:
        raise CannotStrip


def _end_of_row(sound: Sound, read: Reader, start: int, end: int) -> int:
    """Return the end of the frames in a row from `start`; `start` if there are none.

    The last one counts only if a frame, a tag or the end follows it. Otherwise it may be cut off, and the rest of what
    it claims to be could be a prompt.
    """
    last, at, count, kind = start, start, 0, b""
    while (header := read(sound.data, at)) and at + header[0] <= end and (not count or header[1] == kind):
        last, kind = at, header[1]
        at += header[0]
        count += 1
    if at == end or tags.is_tag_at(sound.data, at):
        return at
    if header is None:
        at, count = last, count - 1
    return at if count >= FEWEST else start
