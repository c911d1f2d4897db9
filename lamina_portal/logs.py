"""Masks the secret parts of URL paths in log lines, so that logs can be stored safely."""

import logging
import re

# A mistyped path (with capital letters, double slashes or encoded letters) doesn't lead to a page, but still contains
# the token. In a path inside another URL (`?next=`, or the referrer of an email filter), slashes are encoded, or even
# encoded twice. Servers and proxies also skip dot segments and what follows a semicolon.
PERCENT = "%(?:25)*"
SLASH = rf"(?:[/\\]|{PERCENT}(?:2F|5C))"
SEPARATOR = rf"(?:{SLASH}|;|{PERCENT}3B)"
IN_PATH = r"[^\s\"'?]"


def _spelt(word: str) -> str:
    """Return a pattern that matches `word` even if some of its letters are percent-encoded."""
    return "".join(rf"(?:{letter}|{PERCENT}{ord(letter):02x}|{PERCENT}{ord(letter.upper()):02x})" for letter in word)


# `/password/change/` and `/password/reset/` themselves aren't secret.
SECRET_PLACES = (
    *(_spelt(word) + SEPARATOR for word in ("s", "invite", "mail")),
    rf"{_spelt('hooks')}{SEPARATOR}(?:{_spelt('lamina')}{SEPARATOR})?+",
    rf"{_spelt('password')}{SEPARATOR}(?!(?:change|reset)/?(?!{IN_PATH}))(?:{_spelt('reset')}{SEPARATOR})?+",
)
# Masks the whole rest of the path (except a slash at the end), because the token isn't always the next segment: it's
# the second one in `/s/./TOKEN/` and the third one in `/s/x/../TOKEN/`.
SECRET_PATH = re.compile(
    rf"({SLASH}(?:{'|'.join(SECRET_PLACES)})){IN_PATH}*(?!/){IN_PATH}",
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
