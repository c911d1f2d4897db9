"""Copy the frames of a FLAC. Their headers don't say where a frame ends, but each frame ends with a checksum."""

import re
from mmap import mmap

from runs.storage.metadata.parts import CannotStrip, Counter, take
from runs.storage.sounds import tags
from runs.storage.sounds.parts import Sound

SYNC = re.compile(rb"\xff[\xf8\xf9]")
# What can follow a frame: another one, a tag, or another file
FOLLOWING = re.compile(rb"\xff[\xf8\xf9]|fLaC|" + b"|".join(tags.MARKS))
INFO_BYTES = 34
LAST_BLOCK = 0x80
HEADER_BYTES = 16  # the longest header of a frame
CHANNELS = 10  # the highest code for channels; the codes from 8 on mean two channels
MOST_SAMPLE_BYTES = 5  # a difference between channels of 32 bits has 33
SLACK_BYTES = 1000
CHECK_BYTES = 1000  # a place that looks like an end takes about as long as this many bytes


def strip(sound: Sound) -> None:
    """Write the FLAC with only its stream info and its frames. Raises `CannotStrip`."""
    data = sound.data
    if data[:4] != b"fLaC" or take(data, 4, 4) not in (b"\0\0\0\x22", b"\x80\0\0\x22"):
        raise CannotStrip
    sound.target.write(b"fLaC\x80\0\0\x22" + take(data, 8, INFO_BYTES))
    at, end = _end_of_blocks(data), tags.end_before_tags(data)
    while at < end:
        after = _end_of_row(sound, at, end)
        if after > at:
            sound.keep(at, after)
        else:
            match = SYNC.search(data, at + 1, end)
            after = match.start() if match else end
        at = after
    if not sound.kept_bytes:
        raise CannotStrip


def _end_of_blocks(data: mmap) -> int:
    counter, at = Counter(), 4
    while True:
        counter.count()
        head = take(data, at, 4)
        at += 4 + int.from_bytes(head[1:], "big")
        if head[0] & LAST_BLOCK:
            return at


def _end_of_row(sound: Sound, start: int, end: int) -> int:
    """Return the end of the whole frames in a row from `start`; `start` if there are none."""
    at = start
    while (most := _most_bytes(sound.data, at)) and (after := _end_of_frame(sound, at, min(end, at + most), end)):
        at = after
    return at


def _end_of_frame(sound: Sound, start: int, limit: int, end: int) -> int:
    """Return where the frame at `start` ends, at `limit` or before; 0 if it isn't whole."""
    data = sound.data
    for match in FOLLOWING.finditer(data, start + 4, limit):
        at = match.start()
        is_end = data[at] != 0xFF or bool(_most_bytes(data, at))
        if is_end and _is_whole(data[start:at]):
            return at
        sound.waste(CHECK_BYTES + (at - start if is_end else 0))
    if limit == end and _is_whole(data[start:end]):
        return end
    sound.waste(limit - start)
    return 0


def _most_bytes(data: mmap, at: int) -> int:
    """Return how long the frame with the header at `at` can be at most; 0 if there is no header."""
    head = data[at : at + HEADER_BYTES]
    if len(head) < 6 or head[0] != 0xFF or head[1] & 0xFE != 0xF8:
        return 0
    block, rate, channels = head[2] >> 4, head[2] & 15, head[3] >> 4
    if not block or rate == 15 or channels > CHANNELS or head[3] >> 1 & 7 == 3 or head[3] & 1:
        return 0
    after = 4 + _length_of_number(head[4])
    sizes = head[after : after + 2]
    check = after + {6: 1, 7: 2}.get(block, 0) + {12: 1, 13: 2, 14: 2}.get(rate, 0)
    if after == 4 or check >= len(head) or _crc8(head[: check + 1]):
        return 0
    return _samples(block, sizes) * (channels + 1 if channels < 8 else 2) * MOST_SAMPLE_BYTES + SLACK_BYTES


def _length_of_number(first: int) -> int:
    """Return how many bytes a frame's number takes, which is written like UTF-8; 0 if `first` can't begin one."""
    ones = 8 - (first ^ 0xFF).bit_length()
    return {0: 1, 1: 0, 8: 0}.get(ones, ones)


def _samples(block: int, sizes: bytes) -> int:
    """Return how many samples a frame has per channel, from its code and the bytes that some codes refer to."""
    if block in {6, 7}:
        return (sizes[0] if block == 6 else int.from_bytes(sizes, "big")) + 1
    return 192 if block == 1 else 576 << (block - 2) if block < 6 else 256 << (block - 8)


def _crc8(header: bytes) -> int:
    """Return 0 if `header` is whole: its checksum (x^8 + x^2 + x + 1) at its end makes the remainder 0."""
    rest = int.from_bytes(header, "big")
    while (bits := rest.bit_length()) > 8:
        rest ^= 0x107 << (bits - 9)
    return rest


def _is_whole(frame: bytes) -> bool:
    """Return whether the frame, with the checksum at its end, leaves no remainder when divided by
    x^16 + x^15 + x^2 + 1 = (x + 1)(x^15 + x + 1).

    A loop over the bytes would take minutes for a large file. So we divide by the two factors: by x + 1 by counting
    bits, and by x^15 + x + 1 with long numbers. When `power` is a power of 2, x^(15 power) leaves x^power + 1, so the
    upper part of the frame folds into the lower part, and half the bits are gone.
    """
    rest = int.from_bytes(frame, "big")
    if rest.bit_count() & 1:
        return False
    power = 1 << (rest.bit_length() // 15).bit_length()
    while power:
        while upper := rest >> 15 * power:
            rest ^= upper << 15 * power ^ upper << power ^ upper
        power >>= 1
    return rest == 0
