"""Turns names and other text that people typed into one line of plain text, for places where no markup separates it
from the text around it."""

import unicodedata

# Characters that change the direction of all text after them, even beyond the name that contains them.
DIRECTIONS = dict.fromkeys(map(ord, "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"))
ISOLATE, END = "\u2068", "\u2069"
JOINER = "\u200d"
TONES = range(0x1F3FB, 0x1F400)  # skin tone modifiers, which follow an emoji


def one_line(text: str) -> str:
    """Return `text` on one line, without control characters or marks that change the direction of other text."""
    shown = "".join(
        " " if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") else character for character in text
    )
    return " ".join(shown.translate(DIRECTIONS).split())


def cut(text: str, length: int) -> str:
    """Return `text`; if it has more than `length` characters, return its beginning followed by "…". Never cuts within
    an emoji or between a letter and its accent."""
    if len(text) <= length:
        return text
    end = length - 1
    while end > 0 and (_continues(text[end]) or text[end - 1] == JOINER):
        end -= 1
    return f"{text[:end].rstrip()}…"


def _continues(character: str) -> bool:
    """Return whether the character combines with the one before it."""
    return unicodedata.category(character).startswith("M") or character == JOINER or ord(character) in TONES


def isolated(text: str) -> str:
    """Return `text`, enclosed in isolating marks if any of it is right-to-left, so that it doesn't change the direction
    of the text around it."""
    is_from_right = any(unicodedata.bidirectional(character) in ("R", "AL") for character in text)
    return f"{ISOLATE}{text}{END}" if is_from_right else text
