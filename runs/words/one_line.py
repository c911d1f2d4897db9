"""Turns names and other text that people typed into one line, for places where no markup separates it from the text
around it."""

import unicodedata

# Characters that change the direction of all text after them, even beyond the name that contains them.
DIRECTIONS = dict.fromkeys(map(ord, "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"))


def one_line(text: str) -> str:
    """Return `text` on one line, without control characters or marks that change the direction of other text."""
    visible = "".join(
        " " if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") else character for character in text
    )
    return " ".join(visible.translate(DIRECTIONS).split())
