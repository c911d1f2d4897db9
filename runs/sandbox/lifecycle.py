"""Computes a run's state from the clock, so that runs need no thread and survive the sandbox being killed."""

import hashlib
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

FINAL = {"completed", "failed", "cancelled"}
VARIANTS = 5  # how many different pictures the same inputs can produce, so that "run again" shows something new
FAILURE_TEXT = "The model could not make this picture. Please try another input."
OUTPUT_FAILURE_TEXT = "This output could not be made."
# How long a run waits in the queue: this share of its total time, but at most this many seconds.
QUEUE_SHARE, QUEUE_MOST = 0.15, 1.0


@dataclass
class Run:
    """A run, as it was requested. Times are in Unix seconds; the run's state is computed from them."""

    run_id: str
    app_id: str
    app_name: str
    inputs: dict[str, Any]
    shown: list[dict[str, Any]]  # the inputs as shown to people: name, type, value
    outputs: list[dict[str, Any]]  # the outputs to produce, copied because the app may be removed
    created_at: float
    seconds: float
    cost: float = 0.0
    outcome: str = "completed"
    error: str | None = None
    failed: list[int] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    webhook: str | None = None
    origin: str = ""
    variant: int = 0
    is_legacy: bool = False
    # The last change made by the control API or by cancelling: {"status", "at", "error", "ready"}.
    override: dict[str, Any] | None = None
    delivered: bool = False
    told_at: float | None = None  # when a stream first reported that the run had ended
    # The last feedback ({"at", "seconds", "positions"}), and how many times each output (by position) has been remade.
    refinement: dict[str, Any] | None = None
    revisions: dict[str, int] = field(default_factory=dict)

    def as_record(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def starts_at(self) -> float:
        return self.created_at + min(self.seconds * QUEUE_SHARE, QUEUE_MOST)

    @property
    def ends_at(self) -> float | None:
        """The time when the run reaches its final state; None if it never does on its own."""
        if self.refinement and not self._is_overruled:
            return float(self.refinement["at"]) + float(self.refinement["seconds"])
        if self.override:
            return float(self.override["at"]) if self.override["status"] in FINAL else None
        return None if self.outcome == "never" else self.created_at + self.seconds

    @property
    def _is_overruled(self) -> bool:
        """Whether the run was changed by the control API or cancelled after the last feedback."""
        return bool(self.override and self.refinement and self.override["at"] > self.refinement["at"])

    def is_refining(self, now: float) -> bool:
        if not self.refinement or self._is_overruled:
            return False
        return bool(now < self.refinement["at"] + self.refinement["seconds"])

    def lands_at(self, position: int) -> float:
        """Return the time when the output at `position` (0-based) becomes ready. Outputs become ready at regular
        intervals."""
        running = self.created_at + self.seconds - self.starts_at
        return self.starts_at + running * (position + 1) / len(self.outputs)


def status_at(run: Run, now: float) -> str:
    ends_at = run.ends_at
    if run.is_refining(now):
        return "running"
    if ends_at is not None and now >= ends_at:
        return final_status(run)
    if run.override and run.override["status"] == "running":
        return "running"
    if now < run.starts_at:
        return "queued"
    return "reviewing" if run.outcome == "unknown_status" else "running"


def final_status(run: Run) -> str:
    if run.override:
        return str(run.override["status"])
    return run.outcome if run.outcome in {"failed", "cancelled"} else "completed"


def is_final(run: Run, now: float) -> bool:
    return status_at(run, now) in FINAL


def output_state(run: Run, position: int, now: float) -> str:
    """Return the state of one output: `pending`, `completed`, `error` or `cancelled`."""
    status = status_at(run, now)
    if run.is_refining(now) and run.refinement and position in run.refinement["positions"]:
        return "pending"
    landed = _has_landed(run, position, now)
    if landed:
        return "error" if position in run.failed else "completed"
    if status == "failed":
        return "error"
    # As on Lamina, only the output that was being made is cancelled; all later ones stay pending.
    if status == "cancelled" and position == sum(_has_landed(run, n, now) for n in range(len(run.outputs))):
        return "cancelled"
    return "pending"


def _has_landed(run: Run, position: int, now: float) -> bool:
    override = run.override
    if override:
        if override["status"] == "completed" and override.get("ready") is None:
            return now >= float(override["at"])
        if override.get("ready") is not None:
            return position < int(override["ready"])
        now = min(now, float(override["at"]))
    if run.outcome == "never":
        return False
    if run.outcome in {"failed", "cancelled"} and not run.failed:
        return False
    return now >= run.lands_at(position)


def started_at(run: Run, now: float) -> float | None:
    """Return when the run started; None if it is still waiting, or if it failed or was cancelled before starting."""
    status = status_at(run, now)
    if status == "queued":
        return None
    changed_at = float(run.override["at"]) if run.override else run.starts_at
    if changed_at >= run.starts_at:
        return run.starts_at
    return None if status in {"failed", "cancelled"} else changed_at


def iso(moment: float | None) -> str | None:
    """Format a Unix time as ISO 8601 in UTC, with milliseconds and Z."""
    if moment is None:
        return None
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def node_id(run_id: str, position: int) -> str:
    digest = hashlib.sha256(f"{run_id}/{position}".encode()).hexdigest()
    return f"aiDesignerNode-{int(digest[:10], 16)}-{digest[10:19]}"


def error_message(run: Run, now: float) -> str | None:
    if status_at(run, now) != "failed":
        return None
    text = run.override.get("error") if run.override else None
    return str(text or run.error or FAILURE_TEXT)
