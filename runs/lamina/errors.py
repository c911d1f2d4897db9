"""Errors that Lamina calls may raise, grouped by how the caller can react.

Repeating a call may cost money, so `nothing_happened` is True only if we are certain. No error carries the key or the
exception that caused it, because a `requests` exception contains the request, which contains the key.
"""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypedDict, Unpack

MESSAGE_LENGTH = 1000  # maximum length of a message, in characters
_TOO_FEW_CREDITS = re.compile(r"insufficient[\s_-]+credits?", re.IGNORECASE)
_UNKNOWN_PARAMETER = re.compile(r"unknown[\s_-]+parameters?\b", re.IGNORECASE)
# Codes for a 401 that isn't about our key: Lamina's database failed, or the request was for an inbound trigger.
_NOT_ABOUT_THE_KEY = frozenset({"AUTH_FAILED", "WEBHOOK_INVALID_SECRET"})


def tells_insufficient_credits(text: str) -> bool:
    """Return whether `text`, from an error or a failed run, says "insufficient credits" (ignoring case)."""
    return _TOO_FEW_CREDITS.search(text) is not None


@dataclass(frozen=True, slots=True)
class FieldError:
    """Lamina's error about one input. `field` is the identifier that Lamina used: a name, key or id.

    `message` is Lamina's own text, or "" if it sent only a code; `code` may be empty if there is a message. `allowed`
    lists the values that Lamina would accept, unless the message already names them.
    """

    field: str
    code: str
    message: str
    allowed: tuple[str, ...] = ()


class ErrorDetails(TypedDict, total=False):
    """What Lamina's response said about the error."""

    quote: str
    status: int | None
    code: str
    request_id: str


class LaminaError(Exception):
    """A failed call.

    `message` is for developers and logs, and is never empty. `quote` is Lamina's own message, or "" if there is none;
    only this text is meant for people. `status` is None if there was no response. `nothing_happened` is True only if we
    are certain that the call had no effect.
    """

    def __init__(
        self,
        message: str,
        *,
        quote: str = "",
        status: int | None = None,
        code: str = "",
        request_id: str = "",
        nothing_happened: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.quote = quote
        self.status = status
        self.code = code
        self.request_id = request_id
        self.nothing_happened = nothing_happened


class LaminaUnavailable(LaminaError):
    """No connection, no response in time, a 5xx, or a response that can't be read: try again later.

    `was_connected` is False only if no byte of the request can have reached Lamina. Only then is it safe to retry
    starting a run. `is_cut_off` is True if a response began but its body was cut off or took too long.
    """

    def __init__(
        self,
        message: str,
        *,
        was_connected: bool = True,
        is_cut_off: bool = False,
        **details: Unpack[ErrorDetails],
    ) -> None:
        super().__init__(message, **details, nothing_happened=not was_connected)
        self.was_connected = was_connected
        self.is_cut_off = is_cut_off


class LaminaRateLimited(LaminaError):
    """Lamina refused the call because of its request limit; wait `retry_after` seconds (1 to 600), then repeat it."""

    def __init__(self, message: str, *, retry_after: float = 60.0, **details: Unpack[ErrorDetails]) -> None:
        super().__init__(message, **details, nothing_happened=True)
        self.retry_after = retry_after


class LaminaRejected(LaminaError):
    """The call was refused: don't repeat it unchanged.

    `is_from_lamina` is True if the response was one of Lamina's error objects. Otherwise, a proxy may have refused the
    call, which tells us nothing about the app or the run.
    """

    def __init__(
        self,
        message: str,
        *,
        is_from_lamina: bool = False,
        field_errors: list[FieldError] | None = None,
        nothing_happened: bool = True,
        **details: Unpack[ErrorDetails],
    ) -> None:
        super().__init__(message, **details, nothing_happened=nothing_happened)
        self.is_from_lamina = is_from_lamina
        self.field_errors = field_errors or []

    @property
    def is_key_refused(self) -> bool:
        return self.status == HTTPStatus.UNAUTHORIZED and self.code not in _NOT_ABOUT_THE_KEY

    @property
    def is_forbidden(self) -> bool:
        return self.status == HTTPStatus.FORBIDDEN and self.is_from_lamina

    @property
    def is_not_found(self) -> bool:
        return self.status == HTTPStatus.NOT_FOUND and self.is_from_lamina

    @property
    def says_unknown_parameter(self) -> bool:
        """Whether the message or code says that an input is unknown without saying which one."""
        words = f"{self.code} {self.message}"
        return not self.field_errors and _UNKNOWN_PARAMETER.search(words) is not None

    @property
    def is_insufficient_credits(self) -> bool:
        """Whether there aren't enough credits: a 402, or a message that says so (Lamina documents no code for this)."""
        return self.status == HTTPStatus.PAYMENT_REQUIRED or any(
            tells_insufficient_credits(text)
            for text in (self.message, self.code, *(problem.message for problem in self.field_errors))
        )
