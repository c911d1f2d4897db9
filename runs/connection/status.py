"""The state of Lamina, the connection and the key, from the last answers."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache

from runs.background.incidents import record_incident
from runs.models import LaminaStatus
from runs.models.messages import Message

STATUS_ID = 1
CACHE_SECONDS = 2
NOTE_EVERY = timedelta(seconds=5)
AWAY_AFTER = 3
STEADY_SECONDS = 3.0  # comparisons of steady clocks differ by less: whole seconds, and the way of an answer


def lamina_status() -> LaminaStatus:
    """The state of Lamina, at most two seconds old; every page asks, so each process caches it."""
    found = cache.get("lamina_status")
    if isinstance(found, LaminaStatus):
        return found
    status = LaminaStatus.objects.filter(pk=STATUS_ID).first() or LaminaStatus(pk=STATUS_ID)
    cache.set("lamina_status", status, CACHE_SECONDS)
    return status


def is_sandbox() -> bool:
    """Whether Lamina is the sandbox, so that nothing made here is real."""
    return settings.IS_SANDBOX or lamina_status().is_sandbox


def record_status(**fields: Any) -> None:
    """Write `fields` of the one LaminaStatus row; create it if there is none."""
    if not LaminaStatus.objects.filter(pk=STATUS_ID).update(**fields):
        LaminaStatus.objects.update_or_create(pk=STATUS_ID, defaults=fields)
    cache.delete("lamina_status")


def record_answer(
    now: datetime, *, is_sandbox: bool, is_key_refused: bool | None, clock_ahead_seconds: float | None = None
) -> None:
    """Record that Lamina answered; `is_key_refused` is None if the answer says nothing about the key, and
    `clock_ahead_seconds` (its clock minus ours) if it gave no time.

    Writes only what is new, or once in five seconds.
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
    """How far Lamina's clock is ahead now, and since when it has run steadily; None if unknown."""
    known = status.clock_ahead_seconds if status else 0.0
    if ahead is None:
        return known, None
    since = status.clock_steady_since if status else None
    return ahead, since if since is not None and abs(ahead - known) <= STEADY_SECONDS else now


def is_clock_known(at: datetime) -> bool:
    """Whether Lamina's clock was compared with ours before and after `at`, and ran steadily: only then can its times
    around `at` be compared with ours to the second."""
    status = lamina_status()
    steady_since, answered_at = status.clock_steady_since, status.answered_at
    return steady_since is not None and answered_at is not None and steady_since <= at <= answered_at


def record_failure(now: datetime, *, endpoint: str, status: int | None, request_id: str) -> None:
    """Record that Lamina gave no usable answer: it is away if it can't be reached, or after three of them in a row."""
    known = LaminaStatus.objects.filter(pk=STATUS_ID).first() or LaminaStatus()
    if known.failures == 0:
        message = Message("lamina_no_answer", {"endpoint": endpoint})
        if status:
            message = Message("lamina_status", {"endpoint": endpoint, "status": str(status)})
        record_incident("lamina", message, request_id)
    is_away = status is None or known.failures + 1 >= AWAY_AFTER
    fields: dict[str, Any] = {"failures": known.failures + 1}
    if is_away and known.away_since is None:
        fields |= {"away_since": now, "reachable_since": None}
    record_status(**fields)
