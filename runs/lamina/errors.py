"""What can go wrong between us and Lamina, sorted by what a caller may do next.

The one question that costs money is whether repeating a call is safe: `nothing_happened` answers it, and says True
only when that is certain. No error carries the key or the exception it was made from: a `requests` exception holds
the request, and with it the key.
"""

import re
from dataclasses import dataclass
from http import HTTPStatus

MESSAGE_LENGTH = 1000  # characters
_TOO_FEW_CREDITS = re.compile(r"insufficient[\s_-]+credits?", re.IGNORECASE)
_UNKNOWN_PARAMETER = re.compile(r"unknown[\s_-]+parameters?\b", re.IGNORECASE)
# A 401 that says nothing against the key: their database failed, or it concerns inbound triggers.
_NOT_ABOUT_THE_KEY = frozenset({"AUTH_FAILED", "WEBHOOK_INVALID_SECRET"})


def tells_insufficient_credits(text: str) -> bool:
    """Whether TEXT (an error, or a failed run's message) says that the credits do not suffice; any case."""
    return _TOO_FEW_CREDITS.search(text) is not None


@dataclass(frozen=True, slots=True)
class FieldError:
    """One complaint about one input. FIELD is whatever handle Lamina used: name, key or id; CODE may be empty."""

    field: str
    code: str
    message: str


class LaminaError(Exception):
    """A call that did not succeed.

    `message` is never empty; `quote` is Lamina's own sentence alone, empty when it gave none. `status` is None when
    there was no answer. `nothing_happened` is True only when it is certain that the call had no effect.
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
    """No connection, no answer in time, a 5xx, or an answer that cannot be read: try again later.

    `was_connected` is False when no byte of the request can have reached Lamina; only then is a repeated start safe.
    """

    def __init__(
        self,
        message: str,
        *,
        was_connected: bool = True,
        quote: str = "",
        status: int | None = None,
        code: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(
            message,
            quote=quote,
            status=status,
            code=code,
            request_id=request_id,
            nothing_happened=not was_connected,
        )
        self.was_connected = was_connected


class LaminaRateLimited(LaminaError):
    """Refused because of the request limit; wait `retry_after` seconds (1 to 600), then repeat."""

    def __init__(
        self,
        message: str,
        *,
        retry_after: float = 60.0,
        quote: str = "",
        status: int | None = HTTPStatus.TOO_MANY_REQUESTS,
        code: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(message, quote=quote, status=status, code=code, request_id=request_id, nothing_happened=True)
        self.retry_after = retry_after


class LaminaRejected(LaminaError):
    """Lamina understood and refused: never repeat it unchanged."""

    def __init__(
        self,
        message: str,
        *,
        field_errors: list[FieldError] | None = None,
        quote: str = "",
        status: int | None = None,
        code: str = "",
        request_id: str = "",
        nothing_happened: bool = True,
    ) -> None:
        super().__init__(
            message,
            quote=quote,
            status=status,
            code=code,
            request_id=request_id,
            nothing_happened=nothing_happened,
        )
        self.field_errors = field_errors or []

    @property
    def is_key_refused(self) -> bool:
        return self.status == HTTPStatus.UNAUTHORIZED and self.code not in _NOT_ABOUT_THE_KEY

    @property
    def is_forbidden(self) -> bool:
        return self.status == HTTPStatus.FORBIDDEN

    @property
    def is_not_found(self) -> bool:
        return self.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}

    @property
    def says_unknown_parameter(self) -> bool:
        """A refusal that names no input, but says in its text or code that an input is unknown."""
        words = f"{self.code} {self.message}"
        return not self.field_errors and _UNKNOWN_PARAMETER.search(words) is not None

    @property
    def is_insufficient_credits(self) -> bool:
        """Too few credits has no documented code or status: 402, or the words in any of the texts."""
        return self.status == HTTPStatus.PAYMENT_REQUIRED or any(
            tells_insufficient_credits(text)
            for text in (self.message, self.code, *(problem.message for problem in self.field_errors))
        )
