"""What a call passes to its hooks, and a wrapper that hides the API key."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from requests.structures import CaseInsensitiveDict

from runs.lamina import coerce
from runs.lamina.error_answers import header_date
from runs.lamina.errors import LaminaError

_SECRET_LENGTH = 8  # shorter keys aren't masked, because they might be part of ordinary words


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """The outcome of a call. `status` is None if there was no response; `error` is None if the call succeeded. `at` is
    in UTC."""

    endpoint: str
    status: int | None
    headers: Mapping[str, str]
    error: LaminaError | None
    at: datetime

    @property
    def lamina_time(self) -> datetime | None:
        """The time on Lamina's clock, from the `Date` header."""
        return header_date(self.headers)

    @property
    def rate_remaining(self) -> int | None:
        """Requests left in the current window, from `RateLimit-Remaining`."""
        number = coerce.as_number(self.headers.get("RateLimit-Remaining"))
        return None if number is None else coerce.as_count(number)

    @property
    def is_sandbox(self) -> bool:
        return bool(self.headers.get("X-Lamina-Sandbox"))


class Key:
    """The API key, hidden from every repr."""

    def __init__(self, text: str) -> None:
        self._text = text.strip()

    def __repr__(self) -> str:
        return "Key(•••)"

    def reveal(self) -> str:
        return self._text

    @property
    def is_sendable(self) -> bool:
        return self._text.isascii() and self._text.isprintable() and bool(self._text) and " " not in self._text

    @property
    def secret(self) -> str:
        """The text to mask in Lamina's responses; empty if the key is too short to mask."""
        return self._text if len(self._text) >= _SECRET_LENGTH else ""

    def masked(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        """Return `headers` with the key masked, in case a proxy has echoed it."""
        secret = self.secret
        if not secret or not any(secret in value for value in headers.values()):
            return headers
        return CaseInsensitiveDict({name: value.replace(secret, "•••") for name, value in headers.items()})
