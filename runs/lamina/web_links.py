"""Find URLs in values of any type."""

import re
from collections.abc import Iterator
from typing import Any

_ADDRESS = re.compile(r"""https?://[^\s"'<>\\`{}|^]+""", re.IGNORECASE)
_JOINED = re.compile(r",(?=https?://)", re.IGNORECASE)
_TRAILING = ".,;:!?)]"


def _texts(value: Any) -> Iterator[str]:
    """Yield the strings in `value`, depth first. (Its nesting was limited when it was decoded.)"""
    match value:
        case str():
            yield value
        case list() | tuple():
            for item in value:
                yield from _texts(item)
        case dict():
            for item in value.values():
                yield from _texts(item)


def _in_text(text: str) -> list[str]:
    """Return the URLs in `text`, without trailing punctuation unless the text is just one URL."""
    whole = text.strip()
    parts = [part for address in _ADDRESS.findall(whole) for part in _JOINED.split(address)]
    return parts if parts == [whole] else [part.rstrip(_TRAILING) for part in parts]


def addresses_in(value: Any) -> list[str]:
    """Return all http(s) URLs in `value` (text, list or object), in order of appearance and without duplicates."""
    return list(dict.fromkeys(address for text in _texts(value) for address in _in_text(text)))


def is_nothing_but_addresses(value: Any) -> bool:
    """Return whether `value` contains nothing but URLs."""
    match value:
        case str():
            return not _ADDRESS.sub("", value).strip(" \t\r\n,")
        case list() | tuple():
            return all(is_nothing_but_addresses(item) for item in value)
        case dict():
            return all(is_nothing_but_addresses(item) for item in value.values())
        case _:
            return value is None
