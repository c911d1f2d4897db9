"""Faults and scripts that tests set through the control API."""

from dataclasses import dataclass, field
from typing import Any

ENDPOINTS = {
    "apps", "search", "discover", "app", "estimate", "run_start", "run", "runs", "wait", "stream", "cancel", "feedback",
    "account", "usage", "upload_urls", "upload_put", "transfer", "signing_key", "file", "*",
}  # fmt: skip
# These faults replace the endpoint's response. The endpoint does nothing unless the fault has "acts": true, which
# "drop_before" ignores.
INSTEAD = {"status", "drop_before", "garbage", "old_error", "plain_429", "html", "empty"}
AFTERWARDS = {"drop_after", "delay", "drip", "truncate", "truncated", "headers"}
# These faults change what a stream sends, as described in stream_faults.py.
STREAM = {
    "crlf", "cr", "comments", "huge", "drip", "break", "close", "half_event", "open_event", "stranger", "junk",
    "misnamed", "stale", "bare_end", "silence", "endless_line", "late", "endless",
}  # fmt: skip
OUTCOMES = {
    "completed", "failed", "partial", "no_output", "cancelled", "insufficient_credits", "unknown_status", "never",
}  # fmt: skip


@dataclass
class Fault:
    """A fault set by a test. If `times` is None, it lasts until it is cleared.

    `seconds` is the length of a delay, drip or silence, or the Retry-After of a plain 429. `gap` is the pause between
    the chunks of a dripped response, in seconds. In a stream, `after` is the number of events before the fault, and
    `size` is in bytes.
    """

    endpoint: str
    fault: str
    times: int | None = 1
    status: int | None = None
    body: Any = None
    seconds: float | None = None
    headers: dict[str, str] = field(default_factory=dict)
    app_id: str | None = None
    run_id: str | None = None
    acts: bool = False
    gap: float | None = None
    after: int = 1
    size: int | None = None

    def matches(self, endpoint: str, app_id: str | None, run_id: str | None) -> bool:
        if self.endpoint == "*":
            if endpoint == "":
                return False
        elif self.endpoint != endpoint:
            return False
        return self.app_id in (None, app_id) and self.run_id in (None, run_id)


@dataclass
class Script:
    """Defines how an app's next runs behave (or any app's, if `app_id` is None)."""

    app_id: str | None = None
    times: int | None = 1
    seconds: float | None = None
    outcome: str = "completed"
    error: str | None = None
    failed_outputs: list[int] | None = None
    values: dict[str, Any] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)


def take_fault(faults: list[Fault], endpoint: str, app_id: str | None, run_id: str | None) -> Fault | None:
    """Return the first matching fault, and count this as one of its uses."""
    for fault in faults:
        if fault.matches(endpoint, app_id, run_id):
            _use_up(faults, fault)
            return fault
    return None


def take_script(scripts: list[Script], app_id: str) -> Script | None:
    """Return the first script that matches this app, and count this as one of its uses."""
    for script in scripts:
        if script.app_id in (None, app_id):
            _use_up(scripts, script)
            return script
    return None


def _use_up[T: (Fault, Script)](waiting: list[T], one: T) -> None:
    if one.times is not None:
        one.times -= 1
        if one.times <= 0:
            waiting.remove(one)
