"""The state of Lamina, the connection and the key, based on Lamina's latest responses."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db.models import F

from runs.background.incidents import record_incident
from runs.models import LaminaStatus
from runs.models.messages import Message

STATUS_ID = 1
CACHE_SECONDS = 2
NOTE_EVERY = timedelta(seconds=5)
AWAY_AFTER = 2
# As long as both clocks are steady, the difference we measure varies by less than this. It varies because Lamina's
# times are in whole seconds and responses take time.
STEADY_SECONDS = 3.0


def lamina_status() -> LaminaStatus:
    """Return Lamina's state, at most two seconds old. Every page needs it, so each process caches it."""
    cached = cache.get("lamina_status")
    if isinstance(cached, LaminaStatus):
        return cached
    status = LaminaStatus.objects.filter(pk=STATUS_ID).first() or LaminaStatus(pk=STATUS_ID)
    cache.set("lamina_status", status, CACHE_SECONDS)
    return status


def is_sandbox() -> bool:
    """Return whether we're connected to the sandbox, where nothing is real."""
    return settings.IS_SANDBOX or lamina_status().is_sandbox


def record_status(**fields: Any) -> None:
    """Write `fields` to the single LaminaStatus row, creating it if needed."""
    if not LaminaStatus.objects.filter(pk=STATUS_ID).update(**fields):
        LaminaStatus.objects.update_or_create(pk=STATUS_ID, defaults=fields)
    forget_status()


def add_spent(credits: Decimal, *, sent_at: datetime) -> None:
    """Count `credits` as spent since Lamina last reported the balance, unless the run was sent before that, in which
    case it's already included."""
    rows = LaminaStatus.objects.filter(pk=STATUS_ID).exclude(balance=None).exclude(balance_at__gte=sent_at)
    rows.update(spent_since=F("spent_since") + credits)
    forget_status()


def forget_status() -> None:
    """Clear this process's cached state, because it has just changed."""
    cache.delete("lamina_status")


def record_answer(
    now: datetime, *, is_sandbox: bool, is_key_refused: bool | None, clock_ahead_seconds: float | None = None
) -> None:
    """Record a response from Lamina. Save it at once if anything has changed, otherwise at most every five seconds.

    `is_key_refused` is None if the response says nothing about the key. `clock_ahead_seconds` is Lamina's clock minus
    ours, or None if the response has no time.
    """
    status = LaminaStatus.objects.filter(pk=STATUS_ID).first()
    if is_key_refused is None:
        is_key_refused = status is not None and status.key_refused_at is not None
    ahead, steady_since = _compared(status, clock_ahead_seconds, now)
    is_news = (
        status is None
        or status.clock_steady_since != steady_since
        or status.answered_at is None
        or now - status.answered_at > NOTE_EVERY
        or status.failures > 0
        or status.is_sandbox != is_sandbox
        or (status.key_refused_at is not None) != is_key_refused
    )
    if is_news:
        refused_at = (status and status.key_refused_at) or now
        since = status.reachable_since if status and status.away_since is None else None
        record_status(
            answered_at=now,
            reachable_since=since or now,
            clock_ahead_seconds=ahead,
            clock_steady_since=steady_since,
            failures=0,
            away_since=None,
            is_sandbox=is_sandbox,
            key_refused_at=refused_at if is_key_refused else None,
        )


def _compared(status: LaminaStatus | None, ahead: float | None, now: datetime) -> tuple[float, datetime | None]:
    """Return how far Lamina's clock is ahead of ours, and when this difference became steady (None if unknown)."""
    previous = status.clock_ahead_seconds if status else 0.0
    if ahead is None:
        return previous, None
    since = status.clock_steady_since if status else None
    return ahead, since if since is not None and abs(ahead - previous) <= STEADY_SECONDS else now


def is_clock_known(at: datetime) -> bool:
    """Return whether the difference between Lamina's clock and ours was steady around `at`.

    Only then can we compare Lamina's times around `at` with ours, give or take a second.
    """
    status = lamina_status()
    steady_since, answered_at = status.clock_steady_since, status.answered_at
    return steady_since is not None and answered_at is not None and steady_since <= at <= answered_at


def record_failure(now: datetime, *, endpoint: str, status: int | None, request_id: str) -> None:
    """Record a failed call. Lamina counts as down if it can't be reached, or after two failures in a row."""
    current = LaminaStatus.objects.filter(pk=STATUS_ID).first() or LaminaStatus()
    if current.failures == 0:
        message = Message("lamina_no_answer", {"endpoint": endpoint})
        if status:
            message = Message("lamina_status", {"endpoint": endpoint, "status": str(status)})
        record_incident("lamina", message, request_id)
    is_away = status is None or current.failures + 1 >= AWAY_AFTER
    fields: dict[str, Any] = {"failures": current.failures + 1}
    if is_away and current.away_since is None:
        fields |= {"away_since": now, "reachable_since": None}
    record_status(**fields)
