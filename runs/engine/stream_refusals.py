"""Remembers whether Lamina lets us follow runs live. If Lamina refuses, the portal doesn't try again for a day, and the
Health page says so."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from runs.background import leases
from runs.connection.lamina_api import lamina
from runs.connection.rate_limit import RateLimitWait
from runs.connection.status import lamina_status, record_status
from runs.engine import progress
from runs.lamina.errors import LaminaError, LaminaRejected, LaminaUnavailable
from runs.models import LaminaStatus, Run

logger = logging.getLogger("runs.streams")

REFUSED_FOR = timedelta(days=1)
FAILURES = 3  # this many failures in a row count as a refusal
FAILURES_APART_SECONDS = 30.0  # failures sooner than this after another one don't count
COUNTED = "stream-failure"  # the lease that is held for so long after each failure


def refused_since(status: LaminaStatus, now: datetime) -> datetime | None:
    """Return when Lamina refused streams; None if it didn't, or if that was more than a day ago."""
    at = status.streams_refused_at
    return at if at is not None and at <= now < at + REFUSED_FOR else None


def are_allowed(now: datetime) -> bool:
    """Return whether to open streams at all."""
    status = lamina_status()
    is_off = settings.LAMINA_STREAMS == 0 or status.away_since or status.key_refused_at
    return not is_off and refused_since(status, now) is None


def record(run: Run, error: LaminaError | None, renew: Callable[[], None]) -> None:
    """Record that the stream of `run` delivered nothing, because of `error` or because it was silent or unreadable.
    `renew` is called before each request.

    This counts as a refusal if Lamina says that it refuses, or if it keeps happening even though Lamina responds to
    requests for the run.
    """
    match error:
        case LaminaRejected() if error.is_forbidden:
            _refuse("forbidden")
        case LaminaRejected():
            # The key works for other calls, so it is refused only for streams.
            if _is_readable(run, renew):
                _refuse("forbidden" if error.is_key_refused else "missing")
        case None | LaminaUnavailable(was_connected=True):
            if _is_apart() and _count_failure() >= FAILURES and _is_readable(run, renew):
                _refuse("broken")


def _is_apart() -> bool:
    """Return whether no failure was counted recently. Of several streams that fail together, only one counts, because
    all of them may have failed for the same short time."""
    return leases.acquire(COUNTED, leases.new_holder(), FAILURES_APART_SECONDS)


def _count_failure() -> int:
    """Return how many failures in a row this is. The count starts over after FAILURES."""
    failures = lamina_status().stream_failures + 1
    record_status(stream_failures=failures % FAILURES)
    return failures


def forget() -> None:
    """Record that a stream works."""
    status = lamina_status()
    if status.stream_failures or status.streams_refused_at:
        record_status(stream_failures=0, streams_refused_at=None, streams_refusal="")


def _refuse(cause: str) -> None:
    logger.warning("streams=%s", cause)
    record_status(stream_failures=0, streams_refused_at=timezone.now(), streams_refusal=cause)


def _is_readable(run: Run, renew: Callable[[], None]) -> bool:
    """Return whether Lamina responds when the run is requested by its id."""
    renew()
    try:
        snapshot = lamina().get_run(run.remote_id)
    except (LaminaError, RateLimitWait):
        return False
    progress.apply_snapshot(run, snapshot, timezone.now())
    return True
