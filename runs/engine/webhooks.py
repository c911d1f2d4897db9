"""Webhooks: updates about a run, sent to the run's own URL and trusted only if Lamina's signature matches every byte.

A webhook may arrive before the response to our POST, so it also settles a start that is being sent or is in doubt. The
worker fetches Lamina's signing keys. While the keys are missing or seem outdated, we respond with 503, and Lamina tries
again within seconds.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from runs.background import incidents
from runs.background.queue import enqueue
from runs.connection.lamina_api import lamina
from runs.connection.rate_limit import RateLimitWait
from runs.connection.status import STATUS_ID, lamina_status, record_status
from runs.engine import progress
from runs.lamina.errors import LaminaError
from runs.lamina.signature import Flaw, check_delivery
from runs.lamina.types import RunSnapshot
from runs.models import LaminaStatus, Run
from runs.models.messages import Message

logger = logging.getLogger("runs.webhooks")

KEYS_FRESH_FOR = timedelta(hours=1)
ASK_KEYS_EVERY = timedelta(minutes=1)  # no more often, so that forged webhooks can't use up the request budget
TRUSTED_FOR = timedelta(days=1)


def are_wanted() -> bool:
    """Return whether to request webhooks. LAMINA_WEBHOOKS decides; with "auto", they are requested if PORTAL_URL is
    https."""
    mode = settings.LAMINA_WEBHOOKS
    return mode == "on" or (mode == "auto" and settings.PORTAL_URL.startswith("https://"))


def are_arriving(now: datetime) -> bool:
    """Return whether we can rely on webhooks: we asked for them, and a valid webhook has arrived within the last
    day."""
    at = lamina_status().delivered_at
    return are_wanted() and at is not None and now - at < TRUSTED_FOR


def address_for(run: Run) -> str | None:
    """Return the URL for this run's webhook; None if webhooks are off."""
    return f"{settings.PORTAL_URL}{reverse('runs:webhook', args=[run.hook_token])}" if are_wanted() else None


def run_of(token: str) -> Run | None:
    """Return the run that this secret token belongs to; None if we never issued this token."""
    return Run.objects.filter(hook_token=token).first()


def receive(run: Run, raw_body: bytes, headers: Mapping[str, str], now: datetime) -> HTTPStatus:
    """Check and apply one delivery; return the HTTP status to respond with. Repeated deliveries get 200 and change
    nothing."""
    status = LaminaStatus.objects.filter(pk=STATUS_ID).first() or LaminaStatus()
    if not status.signing_keys:
        request_keys()
        return HTTPStatus.SERVICE_UNAVAILABLE
    verdict = check_delivery(raw_body, headers, status.signing_keys, now)
    if verdict.flaw is Flaw.SIGNATURE:
        return HTTPStatus.SERVICE_UNAVAILABLE if request_keys() else HTTPStatus.UNAUTHORIZED
    if verdict.snapshot is None:
        is_proof = verdict.flaw in (Flaw.HEADERS, Flaw.STALE)
        return HTTPStatus.UNAUTHORIZED if is_proof else HTTPStatus.BAD_REQUEST
    if status.signing_keys_at is None or now - status.signing_keys_at > KEYS_FRESH_FOR:
        request_keys()
    return _apply(run, verdict.run_id, verdict.snapshot, status, now)


def _apply(run: Run, run_id: str, snapshot: RunSnapshot, status: LaminaStatus, now: datetime) -> HTTPStatus:
    if run.remote_id and run.remote_id != run_id:
        incidents.record_incident("delivery", Message("webhook_for_another_run"))
        return HTTPStatus.CONFLICT
    if not run.remote_id and run.is_active and run.attempts:
        # Our own POST has no response yet, and may never get one, but this delivery certainly names the run.
        progress.accept(run, run_id, snapshot.status, now)
        run.refresh_from_db()
    elif not run.remote_id and run.attempts and progress.record_late_start(run, run_id):
        values = {"run": run.public_id, "remote": run_id[:100]}
        incidents.record_incident("delivery", Message("started_after_all", values))
    if run.remote_id == run_id:
        progress.apply_snapshot(run, snapshot, now, is_pushed=True)
    if status.delivered_at is None or now - status.delivered_at > timedelta(minutes=1):
        record_status(delivered_at=now)
    return HTTPStatus.OK


def request_keys() -> bool:
    """Tell the worker to fetch the signing keys, at most once a minute; return True if this call did so."""
    now = timezone.now()
    LaminaStatus.objects.get_or_create(pk=STATUS_ID)
    free = Q(signing_keys_asked_at=None) | ~Q(signing_keys_asked_at__range=(now - ASK_KEYS_EVERY, now + ASK_KEYS_EVERY))
    if not LaminaStatus.objects.filter(free, pk=STATUS_ID).update(signing_keys_asked_at=now):
        return False
    enqueue("refresh_keys")
    return True


def request_keys_if_wanted() -> None:
    """If webhooks are wanted, request the keys before the first webhook needs them."""
    if are_wanted() and not LaminaStatus.objects.filter(pk=STATUS_ID).exclude(signing_keys=[]).exists():
        request_keys()


def refresh_keys() -> None:
    """Replace the keys with Lamina's current ones; an empty or unreadable response changes nothing."""
    try:
        keys = lamina().signing_keys()
    except (LaminaError, RateLimitWait):
        return
    if keys:
        record_status(signing_keys=keys, signing_keys_at=timezone.now())
