"""Convert whatever Lamina sent to the type we need. This never fails: invalid values count as missing.

NUL and lone surrogates are replaced with U+FFFD, both in what we receive and in what we send: PostgreSQL can't store
either, and a lone surrogate can't be sent.
"""

import json
import math
import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

ID_LENGTH = 200  # maximum length of an id in characters; anything longer isn't accepted as an id
WORD_LENGTH = 50  # maximum length of a status or type, in characters; it may be any short word
_MAX_DEPTH = 40  # how deeply lists and objects may be nested; anything deeper is turned into text
_CREDITS_LIMIT = Decimal(10) ** 10
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_MILLISECONDS_FROM = 10**11  # times this large are in milliseconds; in seconds, they would be after the year 5137

Json = Any  # really str | int | float | bool | None | list | dict, but all code checks the type anyway


def clean_text(text: str) -> str:
    """Replace characters in `text` that can't be stored or sent."""
    return _UNSTORABLE.sub("\ufffd", text)


def clean_json(value: Any, secret: str = "", *, depth: int = 0) -> Json:
    """Return `value` converted to plain JSON types, with all strings cleaned and `secret` masked.

    Raises RecursionError if `value` is nested too deeply for Python.
    """
    match value:
        case str():
            text = clean_text(value)
            return text.replace(secret, "•••") if secret else text
        case None | bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case dict() | list() | tuple() if depth >= _MAX_DEPTH:
            return clean_json(json.dumps(value, default=str), secret)
        case dict():
            return {
                clean_json(str(key), secret): clean_json(item, secret, depth=depth + 1) for key, item in value.items()
            }
        case list() | tuple():
            return [clean_json(item, secret, depth=depth + 1) for item in value]
        case _:
            return clean_json(str(value), secret)


def as_text(value: Any) -> str:
    """Return a string as it is (not even trimmed), a number or boolean as text, and "" for anything else."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float() | Decimal():
            return str(value)
        case _:
            return ""


def as_word(value: Any) -> str:
    """Return a status or type, trimmed and cut to `WORD_LENGTH`."""
    return as_text(value).strip()[:WORD_LENGTH]


def as_id(value: Any) -> str:
    """Return an id, or "" if it can't be stored or used in a path ("." and ".." would change the URL)."""
    text = as_text(value) if not isinstance(value, bool) else ""
    usable = text.strip() and len(text) <= ID_LENGTH and text.isprintable() and text not in {".", ".."}
    return text if usable else ""


def as_texts(value: Any) -> list[str]:
    """Return `value` as a list of strings. A single string becomes a list of one; objects are replaced by their
    labels."""
    items = value if isinstance(value, list | tuple) else [value]
    texts = (item.get("label", item.get("name")) if isinstance(item, dict) else item for item in items)
    return [as_text(item) for item in texts if isinstance(item, str | int | float)]


def as_flag(value: Any) -> bool | None:
    match value:
        case bool():
            return value
        case int() | float():
            return bool(value)
        case str() if value.strip().lower() in {"true", "false"}:
            return value.strip().lower() == "true"
        case _:
            return None


def as_number(value: Any) -> float | None:
    """Return a finite, non-negative number, or None."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number >= 0 else None


def as_count(value: Any) -> int:
    """Return a whole number from 0 to a million, or 0 if `value` isn't a valid number."""
    return int(min(as_number(value) or 0, 1_000_000))


def as_credits(value: Any) -> Decimal | None:
    """Return an amount of credits, which may be fractional; None if unknown."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    try:
        credit = Decimal(str(value))
    except (InvalidOperation, ValueError):
        return None
    return credit if credit.is_finite() and abs(credit) < _CREDITS_LIMIT else None


def as_time(value: Any) -> datetime | None:
    """Convert an ISO 8601 string, Unix seconds or Unix milliseconds to a time in UTC; return None if that fails."""
    try:
        match value:
            case datetime():
                moment = value
            case str():
                moment = datetime.fromisoformat(value.strip())
            case int() | float() if not isinstance(value, bool):
                moment = datetime.fromtimestamp(value / 1000 if value >= _MILLISECONDS_FROM else value, UTC)
            case _:
                return None
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
