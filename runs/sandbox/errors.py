"""Lamina's error responses in all their formats: structured (with details as objects or strings), legacy and nested."""

from dataclasses import dataclass, field
from typing import Any, Literal

Dialect = Literal["structured", "strings", "legacy", "nested"]

CODES = {
    400: "VALIDATION_ERROR",
    401: "AUTH_INVALID_KEY",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    429: "RATE_LIMITED",
    500: "INTERNAL_ERROR",
    503: "RESOURCE_UNAVAILABLE",
}
TEXTS = {
    400: "Invalid inputs",
    401: "Invalid API key",
    402: "Insufficient credits",
    403: "You do not have access to this app",
    404: "Not found",
    429: "Too many requests",
    500: "Something went wrong",
    503: "Service temporarily unavailable",
}
RETRYABLE = {429, 500, 503}


class Dropped(Exception):
    """Close the connection without a response. If a run was started anyway, `run_id` is its id, for the log."""

    def __init__(self, run_id: str | None = None) -> None:
        super().__init__()
        self.run_id = run_id


@dataclass
class ApiError(Exception):
    """An error response. Only VALIDATION_ERROR has `details`; `retry_after` is in whole seconds."""

    status: int
    message: str = ""
    code: str = ""
    details: list[dict[str, Any]] | None = None
    retry_after: int | None = None
    dialect: Dialect = "structured"
    headers: dict[str, str] = field(default_factory=dict)

    def body(self, request_id: str) -> dict[str, Any]:
        message = self.message or TEXTS.get(self.status, "Something went wrong")
        if self.dialect == "legacy":
            return legacy_body(message, self.details)
        code = self.code or CODES.get(self.status, "INTERNAL_ERROR" if self.status >= 500 else "VALIDATION_ERROR")
        body: dict[str, Any] = {
            "error": message,
            "code": code,
            "retryable": self.status in RETRYABLE,
            "requestId": request_id,
        }
        if self.retry_after is not None:
            body["retryAfter"] = self.retry_after
        if self.details is not None and self.dialect == "nested":
            body["details"] = {"code": code, "message": message, "details": {"errors": self.details}}
        elif self.details is not None and self.dialect == "strings":
            body["details"] = sentences(self.details)
        elif self.details is not None:
            body["details"] = self.details
        return body


def legacy_body(message: str, details: list[dict[str, Any]] | None) -> dict[str, Any]:
    """Return an error in the older format, which has no code; `details` is a list of sentences that start with the
    field in quotes."""
    if not details:
        return {"error": message}
    return {"error": message, "details": sentences(details)}


def sentences(details: list[dict[str, Any]]) -> list[str]:
    return [f'"{entry["field"]}": {entry["message"]}' for entry in details]
