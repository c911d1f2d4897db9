"""The portal's Lamina client. Its key and URL come from the settings, and all calls count towards the shared budget."""

from functools import partial
from typing import Final

from django.conf import settings
from django.utils import timezone

from runs.connection import rate_limit, status
from runs.connection.rate_limit import Priority, RateLimitWait
from runs.lamina.call_observers import CallOutcome
from runs.lamina.client import AT_ONCE, LaminaClient
from runs.lamina.errors import LaminaRateLimited, LaminaRejected, LaminaUnavailable

PRIORITY_OF: Final = {
    "run_start": Priority.START,
    "upload_urls": Priority.START,
    "cancel": Priority.START,
    "run": Priority.FINAL,
    "runs": Priority.LIST,
    "stream": Priority.STREAM,
}

# These endpoints are slow, or missing in some workspaces. If they fail, Lamina itself may be fine.
BESIDES: Final = frozenset({"app_search", "discover", "stream"})


def lamina(priority: Priority | None = None) -> LaminaClient:
    """Return a client whose calls count towards the shared budget; `priority` overrides the priority of the endpoint.

    A call that must wait raises `RateLimitWait` before anything is sent.
    """
    return LaminaClient(
        settings.LAMINA_BASE_URL,
        settings.LAMINA_API_KEY or settings.SANDBOX_KEY,
        before=partial(_count, priority),
        after=note,
    )


def lamina_at_once() -> LaminaClient:
    """Return a client for calls that a page waits for: at most two seconds each, and only while there is budget to
    spare."""
    return LaminaClient(
        settings.LAMINA_BASE_URL,
        settings.LAMINA_API_KEY or settings.SANDBOX_KEY,
        before=partial(_count, Priority.CATALOG),
        after=_note_if_answered,
        at_most=AT_ONCE,
    )


def _note_if_answered(call: CallOutcome) -> None:
    """Record a call like `note` unless it took too long. Two seconds are too short to say that Lamina is down."""
    if not isinstance(call.error, LaminaUnavailable) or call.error.status is not None:
        note(call)


def _count(priority: Priority | None, endpoint: str) -> None:
    wait = rate_limit.take(PRIORITY_OF.get(endpoint, Priority.CATALOG) if priority is None else priority)
    if wait > 0:
        raise RateLimitWait(wait)


def _is_about_streams(call: CallOutcome) -> bool:
    """Return whether this 429 can only mean that too many streams are open, because Lamina says that requests are left.
    If it doesn't say how many are left, a proxy may have refused the request, and that may concern all requests."""
    return call.endpoint == "stream" and bool(call.rate_remaining)


def note(call: CallOutcome) -> None:
    """Record what a call tells us about the budget, the key and the state of Lamina."""
    error = call.error
    if isinstance(error, LaminaRateLimited) and not _is_about_streams(call):
        rate_limit.close(error.retry_after)
    now = timezone.now()
    if isinstance(error, LaminaUnavailable):
        if call.endpoint == "apps" and error.was_connected and (error.is_cut_off or error.status is None):
            return  # the list is slow even when all is well, and the Health page has a separate line for it
        if call.endpoint in BESIDES and error.was_connected:
            return
        status.record_failure(now, endpoint=call.endpoint, status=error.status, request_id=error.request_id)
        return
    if call.rate_remaining is not None:
        rate_limit.learn(call.rate_remaining)
    ahead = (call.lamina_time - call.at).total_seconds() if call.lamina_time else None
    is_refused = isinstance(error, LaminaRejected) and error.is_key_refused
    status.record_answer(
        now,
        clock_ahead_seconds=ahead,
        is_sandbox=call.is_sandbox,
        is_key_refused=is_refused if error is None or is_refused else None,
    )
