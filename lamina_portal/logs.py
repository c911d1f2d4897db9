"""Keeps secret paths out of log lines, so that logs can be stored."""

import logging
import re

# Mistyped paths (capital letters, double slashes, encoded letters) lead nowhere but still contain the token. Slashes
# are encoded in a path inside another address (`?next=`, a mail filter's referrer), twice if nested deeper.
PERCENT = "%(?:25)*"
SLASHES = rf"(?:[/\\]|{PERCENT}(?:2F|5C))+"


def _spelt(word: str) -> str:
    """Return a pattern for `word` in which any letter may be percent-encoded."""
    return "".join(rf"(?:{letter}|{PERCENT}{ord(letter):02x}|{PERCENT}{ord(letter.upper()):02x})" for letter in word)


SECRET_PLACES = (("hooks", "lamina"), ("s",), ("invite",), ("password", "reset"))
SECRET_PATH = re.compile(
    rf"({SLASHES}(?:{'|'.join(SLASHES.join(map(_spelt, words)) for words in SECRET_PLACES)}){SLASHES})"
    rf"(?:(?!{SLASHES})[^\s\"'?])+",
    re.IGNORECASE,
)


class MaskSecretPaths(logging.Filter):
    """Masks the secret part of paths in the formatted message."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        masked = SECRET_PATH.sub(r"\1•••", message)
        if masked != message:
            record.msg, record.args = masked, ()
        return True
