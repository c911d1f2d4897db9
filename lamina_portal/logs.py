"""Log lines that can be kept: paths that are proofs by themselves never stand in them."""

import logging
import re

# What opens nothing has the token all the same: capital letters, doubled slashes, letters written as numbers. Slashes
# are encoded where one address stands in another (`?next=`, the referrer of a mail filter), twice in one in that one.
PERCENT = "%(?:25)*"
SLASHES = rf"(?:[/\\]|{PERCENT}(?:2F|5C))+"


def _spelt(word: str) -> str:
    """A pattern for WORD with any of its letters percent-encoded."""
    return "".join(rf"(?:{letter}|{PERCENT}{ord(letter):02x}|{PERCENT}{ord(letter.upper()):02x})" for letter in word)


SECRET_PLACES = (("hooks", "lamina"), ("s",), ("invite",), ("password", "reset"))
SECRET_PATH = re.compile(
    rf"({SLASHES}(?:{'|'.join(SLASHES.join(map(_spelt, words)) for words in SECRET_PLACES)}){SLASHES})"
    rf"(?:(?!{SLASHES})[^\s\"'?])+",
    re.IGNORECASE,
)


class MaskSecretPaths(logging.Filter):
    """Replaces the secret part of such paths in the finished message and in its arguments."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        masked = SECRET_PATH.sub(r"\1•••", message)
        if masked != message:
            record.msg, record.args = masked, ()
        return True
