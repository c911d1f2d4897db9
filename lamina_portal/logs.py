"""Masks the secret parts of URL paths in log lines, so that logs can be stored safely."""

import logging
import re

# A mistyped path (with capital letters, double slashes or encoded letters) doesn't lead to a page, but still contains
# the token. In a path inside another URL (`?next=`, or the referrer of an email filter), slashes are encoded, or even
# encoded twice.
PERCENT = "%(?:25)*"
SLASHES = rf"(?:[/\\]|{PERCENT}(?:2F|5C))+"


def _spelt(word: str) -> str:
    """Return a pattern that matches `word` even if some of its letters are percent-encoded."""
    return "".join(rf"(?:{letter}|{PERCENT}{ord(letter):02x}|{PERCENT}{ord(letter.upper()):02x})" for letter in word)


SECRET_PLACES = (("hooks", "lamina"), ("s",), ("invite",), ("mail",), ("password", "reset"))
SECRET_PATH = re.compile(
    rf"({SLASHES}(?:{'|'.join(SLASHES.join(map(_spelt, words)) for words in SECRET_PLACES)}){SLASHES})"
    rf"(?:(?!{SLASHES})[^\s\"'?])+",
    re.IGNORECASE,
)


class MaskSecretPaths(logging.Filter):
    """Masks the secret parts of paths in the formatted message."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if masked(message) != message:
            record.msg, record.args = masked(message), ()
        return True


def masked(text: str) -> str:
    """Return `text` with the secret parts of all paths masked."""
    return SECRET_PATH.sub(r"\1•••", text)
