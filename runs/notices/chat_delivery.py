"""Deliver one message to Slack or Teams: a POST through `storage.guard`, with a short time limit.

The address is a secret, so it never appears in errors or logs, and is removed from the server's response.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parsedate_to_datetime
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.utils import timezone
from urllib3.exceptions import HTTPError

from runs.lamina.deadline import Deadline
from runs.models.messages import Message
from runs.storage import guard
from runs.words.one_line import one_line

SECONDS = 10.0
WORDS_BYTES = 2_000
WORDS_LENGTH = 160
ACCEPTED = {200, 201, 202, 204}
GONE = {404, 410}
BUSY = 429
LATER = {408, 425, BUSY}  # retry later after these, and after all server errors (5xx)
LONGEST_WAIT = timedelta(days=1)
BLOT = "•••"
PROBLEMS = {
    guard.PRIVATE.code: "chat_private",
    guard.UNREACHABLE.code: "chat_unreachable",
    guard.UNSAFE_CONNECTION.code: "chat_unsafe",
    guard.TOO_SLOW.code: "chat_too_slow",
}


@dataclass(frozen=True)
class ChatOutcome:
    """The result of sending a message. If the server didn't accept it, `message` says why, quoting the server's
    response if there was one."""

    is_taken: bool = False
    is_gone: bool = False  # the address no longer works
    may_retry: bool = False
    wait: timedelta | None = None  # how long the server asked us to wait, if it did
    message: Message = field(default_factory=Message)


def hand_over(address: str, content: Mapping[str, Any]) -> ChatOutcome:
    """POST `content` as JSON to `address`. Never raises, whatever the server does."""
    headers = {"Content-Type": "application/json; charset=utf-8"}
    body = _Body(json.dumps(content).encode())
    trusted = settings.PORTAL_CHAT_ORIGINS
    try:
        with (
            Deadline(SECONDS) as deadline,
            guard.open_url("POST", address, deadline, headers=headers, body=body, trusted=trusted) as answer,
        ):
            return _outcome(answer, address)
    except guard.FetchRefused as error:
        return ChatOutcome(message=Message(PROBLEMS.get(error.message.code, "chat_bad_address")))
    except guard.FetchFailed as error:
        return ChatOutcome(may_retry=True, message=Message(PROBLEMS.get(error.message.code, "chat_unreachable")))


class _Body(BytesIO):
    def __len__(self) -> int:
        return self.getbuffer().nbytes


def _outcome(answer: requests.Response, address: str) -> ChatOutcome:
    status = answer.status_code
    if status in ACCEPTED:
        return ChatOutcome(is_taken=True)
    may_retry = status in LATER or status >= 500
    return ChatOutcome(
        is_gone=status in GONE,
        may_retry=may_retry,
        wait=_wait(answer.headers.get("Retry-After", "")) if may_retry else None,
        message=_message(status, _words(answer), address),
    )


def _message(status: int, words: str, address: str) -> Message:
    words = _blotted(words, address)
    return (
        Message("chat_said", {"status": status, "words": words})
        if words
        else Message("chat_said_nothing", {"status": status})
    )


def _words(answer: requests.Response) -> str:
    """Return the start of the server's response as one line; "" if it can't be read."""
    try:
        start: bytes = answer.raw.read1(WORDS_BYTES, decode_content=True)
    except (HTTPError, OSError, ValueError):
        return ""
    return one_line(start[:WORDS_BYTES].decode("utf-8", "replace"))


def _blotted(words: str, address: str) -> str:
    """Return `words` with the address and its secret parts removed."""
    parts = urlsplit(address)
    secrets = [address, f"{parts.path}?{parts.query}", parts.path, parts.query, *parts.path.split("/")]
    secrets += [value for pair in parts.query.split("&") for value in pair.split("=")[1:]]
    for secret in sorted({secret for secret in secrets if len(secret) > 5}, key=len, reverse=True):
        words = words.replace(secret, BLOT)
    return words if len(words) <= WORDS_LENGTH else f"{words[: WORDS_LENGTH - 1]}…"


def _wait(retry_after: str) -> timedelta | None:
    """Return how long the server asked us to wait, capped at a day; None if it didn't ask. `retry_after` is a number of
    seconds or a date."""
    text = retry_after.strip()
    try:
        seconds = float(text) if text.replace(".", "", 1).isdecimal() else _seconds_until(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return timedelta(seconds=min(max(math.ceil(min(seconds, 1e9)), 1), LONGEST_WAIT.total_seconds()))


def _seconds_until(date: str) -> float:
    moment = parsedate_to_datetime(date)
    return (moment - timezone.now()).total_seconds()
