"""Masks the secret parts of URL paths in log lines, so that logs can be stored safely."""

import logging
import re

# A mistyped path (with capital letters, double slashes or encoded letters) doesn't lead to a page, but still contains
# the token. In a path inside another URL (`?next=`, or the referrer of an email filter), slashes are encoded, or even
# encoded twice. Servers and proxies also skip dot segments and what follows a semicolon.
PERCENT = "%(?:25)*"
SLASH = rf"(?:[/\\]|{PERCENT}(?:2F|5C))"
SEPARATOR = rf"(?:{SLASH}|;|{PERCENT}3B)"
PADDING = rf"""["']|{PERCENT}2[027]"""  # spaces and quotes that were pasted along with a path
# A quote can belong to the path (browsers encode only double ones), or end it.
IN_PATH = r"""(?:[^\s"'?]|["']++(?=[^\s,;)\]}]))"""


def _spelt(word: str) -> str:
    """Return a pattern that matches `word` even if some of its letters are percent-encoded."""
    return "".join(rf"(?:{letter}|{PERCENT}{ord(letter):02x}|{PERCENT}{ord(letter.upper()):02x})" for letter in word)


def _secret_path(padding: str, in_path: str) -> re.Pattern[str]:
    """Return a pattern for a secret path, whose characters match `in_path`, with any `padding` around its words.

    It covers the whole rest of the path (except a slash at the end), because the token isn't always the next segment:
    it's the second one in `/s/./TOKEN/` and the third one in `/s/x/../TOKEN/`. `/password/change/` and
    `/password/reset/` themselves aren't secret.
    """

    def part(word: str) -> str:
        return rf"(?:{padding})*+{_spelt(word)}(?:{padding})*+{SEPARATOR}"

    places = (
        *map(part, ("s", "invite", "mail")),
        rf"{part('hooks')}(?:{part('lamina')})?+",
        rf"{part('password')}(?!(?:change|reset)/?(?!{in_path}))(?:{part('reset')})?+",
    )
    return re.compile(rf"({SLASH}(?:{'|'.join(places)})){in_path}*(?!/){in_path}", re.IGNORECASE | re.DOTALL)


IN_TEXT = _secret_path(PADDING, IN_PATH)
WHOLE_PATH = _secret_path(rf"\s|{PADDING}", ".")  # Django decodes paths, so they can contain anything


class MaskSecretPaths(logging.Filter):
    """Masks the secret parts of paths in the formatted message."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(map(_masked_if_path, record.args))
        message = record.getMessage()
        if masked(message) != message:
            record.msg, record.args = masked(message), ()
        return True


def masked(text: str) -> str:
    """Return `text` with the secret parts of all paths masked."""
    return IN_TEXT.sub(r"\1•••", text)


def masked_path(path: str) -> str:
    """Return a decoded path, such as Django's `request.path`, with its secret parts masked."""
    return WHOLE_PATH.sub(r"\1•••", path)


def _masked_if_path(value: object) -> object:
    """Mask an argument of a log message that is a path on its own."""
    return masked_path(value) if isinstance(value, str) and value.startswith("/") else value
