"""Log lines that can be kept: paths that are proofs by themselves never stand in them."""

import logging
import re

# Paths that open nothing still hold the token: capital letters, doubled slashes, encoded letters. Slashes are encoded
# when an address is inside another one (`?next=`, the referrer of a mail filter), and twice when nested deeper.
PERCENT = "%(?:25)*"
SLASHES = rf"(?:[/\\]|{PERCENT}(?:2F|5C))+"


def _spelt(word: str) -> str:
    """Pattern for `word` with any of its letters percent-encoded."""
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
