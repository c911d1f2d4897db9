"""What a call's hooks receive, and a wrapper that keeps the key out of sight."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from requests.structures import CaseInsensitiveDict

from runs.lamina import coerce
from runs.lamina.error_answers import header_date
from runs.lamina.errors import LaminaError

_SECRET_LENGTH = 8  # shorter keys aren't masked in texts, since they would match ordinary words


@dataclass(frozen=True, slots=True)
class Answered:
    """How a call ended. `status` is None without a response, `error` None on success. `at` is by our clock, in UTC."""

    endpoint: str
    status: int | None
    headers: Mapping[str, str]
    error: LaminaError | None
    at: datetime

    @property
    def lamina_time(self) -> datetime | None:
        """Lamina's clock, from the `Date` header."""
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
    """The key, kept out of every repr."""

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
        """The text to mask in Lamina's responses."""
        return self._text if len(self._text) >= _SECRET_LENGTH else ""

    def masked(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        """Return `headers` with the key masked, in case a proxy sends it back."""
        secret = self.secret
        if not secret or not any(secret in value for value in headers.values()):
            return headers
        return CaseInsensitiveDict({name: value.replace(secret, "•••") for name, value in headers.items()})
