"""Shortens names and other text that people typed, and keeps their direction, in plain text, where no markup separates
them from the text around them."""

import unicodedata

ISOLATE, END = "\u2068", "\u2069"
JOINER = "\u200d"
TONES = range(0x1F3FB, 0x1F400)  # skin tone modifiers, which follow an emoji


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
