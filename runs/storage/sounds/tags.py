"""Find the tags that programs add to sound files of any format: ID3, APE and Lyrics3."""

from mmap import mmap

MARKS = (b"ID3", b"APETAGEX", b"LYRICSBEGIN", b"TAG")
APE_BYTES = 32  # an APE tag's footer, and its header if it has one
HAS_HEADER, IS_HEADER = 1 << 31, 1 << 29
MOST_TAGS = 20


def is_tag_at(data: mmap, at: int) -> bool:
    """Return whether a tag begins at `at`."""
    return data[at : at + 11].startswith(MARKS)


def end_of_tag(data: mmap, at: int) -> int:
    """Return the end of the tag at `at` if it says how long it is, which saves searching its covers; otherwise `at`."""
    head = data[at : at + APE_BYTES]
    if head.startswith(b"ID3") and len(head) == APE_BYTES and max(head[6:10]) < 0x80:
        size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
        return _within(data, at, 10 + size)
    if head.startswith(b"APETAGEX") and len(head) == APE_BYTES and _number(head, 20) & IS_HEADER:
        return _within(data, at, APE_BYTES + _number(head, 12))
    return at


def end_before_tags(data: mmap) -> int:
    """Return where the tags at the end of the file begin.

    Many of these can be found only from their end: an APE tag without a header begins like any binary data.
    """
    end = len(data)
    for _ in range(MOST_TAGS):
        size = _size_of_tag_before(data, end)
        if not size or size > end:
            break
        end -= size
    return end


def _size_of_tag_before(data: mmap, end: int) -> int:
    if data[max(0, end - 128) : end].startswith(b"TAG"):
        return 128
    if data[max(0, end - 227) : end].startswith(b"TAG+"):
        return 227
    digits = data[max(0, end - 15) : max(0, end - 9)]
    if data[max(0, end - 9) : end] == b"LYRICS200" and digits.isdigit():
        return int(digits) + 15
    foot = data[max(0, end - APE_BYTES) : end]
    if foot.startswith(b"APETAGEX") and len(foot) == APE_BYTES:
        return max(_number(foot, 12), APE_BYTES) + (APE_BYTES if _number(foot, 20) & HAS_HEADER else 0)
    return 0


def _number(block: bytes, at: int) -> int:
    return int.from_bytes(block[at : at + 4], "little")


def _within(data: mmap, at: int, size: int) -> int:
    return at + size if at + size <= len(data) else at
