"""`/healthz`, for monitoring."""

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from runs.background import heartbeats
from runs.connection.status import is_sandbox, lamina_status


@require_safe
@never_cache
@login_not_required
def healthz(request: HttpRequest) -> JsonResponse:
    """Return how many seconds ago the worker, the poller and Lamina were last heard from; respond with 503 if the
    database is down."""
    now = timezone.now()
    try:
        worker, poller = heartbeats.age_seconds("worker", now), heartbeats.age_seconds("poller", now)
        status = lamina_status()
    except DatabaseError:
        return JsonResponse({"database": "away"}, status=503)
    answered_at = status.answered_at
    return JsonResponse(
        {
            "database": "ok",
            "worker_seconds": worker,
            "poller_seconds": poller,
            "lamina_seconds": int((now - answered_at).total_seconds()) if answered_at else None,
            "sandbox": is_sandbox(),
        }
    )
