"""Convert an unsuccessful response into the error that matches its content.

Errors come as structured, legacy or nested objects, as plain text, as HTML from a proxy, or as empty responses.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from runs.lamina import coerce
from runs.lamina.errors import (
    MESSAGE_LENGTH,
    ErrorDetails,
    FieldError,
    LaminaError,
    LaminaRateLimited,
    LaminaRejected,
    LaminaUnavailable,
    tells_insufficient_credits,
)
from runs.lamina.field_errors import read_field_errors

RETRY_AFTER_SECONDS = 60.0  # length of Lamina's rate-limit window; used if the response doesn't say how long to wait
_RETRY_AFTER_LONGEST_SECONDS = 600.0  # so that a bad header can't stop the portal for a day
# Statuses from a proxy that has lost track of the request, but may have passed it on.
_UNCLEAR_STATUSES = frozenset({HTTPStatus.REQUEST_TIMEOUT, 499})
_UNAVAILABLE_CODES = frozenset({"AUTH_FAILED", "RESOURCE_UNAVAILABLE", "INTERNAL_ERROR"})
_CODE_LENGTH = 60
_REQUEST_ID_LENGTH = 100
MOST_CHOICES, CHOICE_LENGTH = 20, 100  # how many of an input's choices to quote, and how many characters of each
# Characters that would change the order of the text around a quote
_UNSEEN = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\ufeff]")
# Matches text that starts like HTML from a proxy, or like part of an error object
_NO_SENTENCE = re.compile(r"\s*(<[!a-z?]|[{\[])", re.IGNORECASE)


def tidy(text: str, length: int = MESSAGE_LENGTH) -> str:
    """Return `text` as one line that can be quoted, with at most `length` characters."""
    visible = _UNSEEN.sub("", text[: length * 8])
    line = " ".join("".join(character if character.isprintable() else " " for character in visible).split())
    return line if len(line) <= length else line[: length - 1] + "…"


def _sentence(body: Any) -> str:
    """Return Lamina's error message, wherever this error format puts it."""
    match body:
        case str():
            return "" if _NO_SENTENCE.match(body) else body
        case dict():
            for name in ("error", "message", "errorMessage", "detail", "title"):
                if sentence := _sentence(body.get(name)):
                    return sentence
    return ""


def _first_text(body: Any, name: str) -> str:
    """Return the string called `name` in the error object, or in its `error` or `details`."""
    if not isinstance(body, dict):
        return ""
    for place in (body, body.get("error"), body.get("details")):
        if isinstance(place, dict) and (text := coerce.as_text(place.get(name))):
            return text
    return ""


def _is_laminas(body: Any) -> bool:
    """Return whether `body` is one of Lamina's error objects, which have an `error` or a code. Proxies send text, HTML,
    or an object with only a `message`."""
    return isinstance(body, dict) and bool(_sentence(body.get("error")) or _first_text(body, "code"))


def _when(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def header_date(headers: Mapping[str, str]) -> datetime | None:
    """Return the time of the response according to Lamina's clock (the `Date` header)."""
    return _when(headers.get("Date", ""))


def retry_after(headers: Mapping[str, str], body: Any) -> float:
    """Return the number of seconds to wait, from 1 to 600.

    The number comes from `Retry-After` (seconds, or a date on Lamina's clock), `retryAfter` or `RateLimit-Reset`.
    """
    header = headers.get("Retry-After", "").strip()
    seconds = coerce.as_number(header)
    if seconds is None and (moment := _when(header)):
        seconds = (moment - (header_date(headers) or datetime.now(UTC))).total_seconds()
    candidates = (seconds, coerce.as_number(_first_text(body, "retryAfter")), _reset_seconds(headers))
    wait = next((candidate for candidate in candidates if candidate is not None), RETRY_AFTER_SECONDS)
    return min(max(wait, 1.0), _RETRY_AFTER_LONGEST_SECONDS)


def _reset_seconds(headers: Mapping[str, str]) -> float | None:
    """Return `RateLimit-Reset` if it is a duration, not a point in time."""
    seconds = coerce.as_number(headers.get("RateLimit-Reset"))
    return seconds if seconds is not None and seconds <= _RETRY_AFTER_LONGEST_SECONDS else None


def _all_text(value: Any) -> str:
    """Join all the text in an error body, so that it can be searched."""
    match value:
        case dict():
            return " ".join(_all_text(item) for item in value.values())
        case list():
            return " ".join(_all_text(item) for item in value)
        case _:
            return value if isinstance(value, str) else ""


def error_from(status: int, headers: Mapping[str, str], body: Any) -> LaminaError:
    """Return the error for this response. `body` is decoded JSON, or plain text if it isn't JSON.

    This also handles a 2xx response that couldn't be read. A call may be repeated only after a 429, which guarantees
    that it had no effect; after a 5xx, we can't be sure. "Insufficient credits" is recognized whatever the status,
    because repeating the call wouldn't help.
    """
    quote = tidy(_sentence(body))
    details: ErrorDetails = {
        "quote": quote,
        "status": status,
        "code": tidy(_first_text(body, "code"), _CODE_LENGTH),
        "request_id": tidy(_first_text(body, "requestId") or headers.get("X-Request-Id", ""), _REQUEST_ID_LENGTH),
    }
    is_error = status >= HTTPStatus.BAD_REQUEST
    said_anywhere = _all_text(body) if is_error else quote
    if status == HTTPStatus.PAYMENT_REQUIRED or tells_insufficient_credits(said_anywhere):
        quote = quote if tells_insufficient_credits(quote) or not quote else f"Insufficient credits. {quote}"
        certain = is_error and status < HTTPStatus.INTERNAL_SERVER_ERROR
        return LaminaRejected(tidy(quote or "Insufficient credits"), **details, nothing_happened=certain)
    is_refusal = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    if status == HTTPStatus.TOO_MANY_REQUESTS or (is_refusal and details["code"] == "RATE_LIMITED"):
        message = quote or "Lamina asked us to wait: too many requests."
        return LaminaRateLimited(message, **details, retry_after=retry_after(headers, body))
    if is_refusal and status not in _UNCLEAR_STATUSES and details["code"] not in _UNAVAILABLE_CODES:
        message = quote or f"Lamina refused the request (status {status})."
        return LaminaRejected(
            message, **details, is_from_lamina=_is_laminas(body), field_errors=_tidied(read_field_errors(body))
        )
    if is_error:
        return LaminaUnavailable(quote or f"Lamina has a problem (status {status}).", **details)
    return LaminaUnavailable(f"Lamina's response could not be read (status {status}).", **details)


def cut_off(status: int, headers: Mapping[str, str]) -> LaminaUnavailable:
    """Return the error for a successful response whose body didn't arrive completely."""
    request_id = tidy(headers.get("X-Request-Id", ""), _REQUEST_ID_LENGTH)
    message = "Lamina's response was cut off, or took too long."
    return LaminaUnavailable(message, status=status, request_id=request_id, is_cut_off=True)


def _tidied(problems: list[FieldError]) -> list[FieldError]:
    """Tidy codes, messages and choices so that they can be quoted. Field names aren't tidied, because they must match
    an input's name exactly."""
    return [
        FieldError(
            p.field[:MESSAGE_LENGTH],
            tidy(p.code, _CODE_LENGTH),
            tidy(p.message),
            tuple(tidy(choice, CHOICE_LENGTH) for choice in p.allowed[:MOST_CHOICES]),
        )
        for p in problems
    ]
