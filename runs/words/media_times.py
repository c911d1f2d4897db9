"""Positions in video and audio: "0:12", or "1:02.5" with fractions of a second."""

import re

PLACE = re.compile(r"(?:(?:(\d{1,3}):)?(\d{1,3}):)?(\d{1,6})(?:[.,](\d{1,3}))?", re.ASCII)


def parse_seconds(text: str) -> int | None:
    """Convert a time such as "12", "0:12", "1:02.5" or "1:00:03" to milliseconds; return None if `text` isn't a
    time."""
    match = PLACE.fullmatch(text.strip())
    if match is None:
        return None
    hours, minutes, seconds, part = match.groups("0")
    if (match[2] is not None and int(seconds) > 59) or (match[1] is not None and int(minutes) > 59):
        return None
    return ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(part.ljust(3, "0"))


def seconds_words(ms: int, *, is_exact: bool = False) -> str:
    """Return a position such as "0:12" or "1:00:03"; with `is_exact`, include fractions of a second: "1:02.5"."""
    whole, part = divmod(ms, 1000)
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    words = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    return f"{words}.{part:03}".rstrip("0") if is_exact and part else words
