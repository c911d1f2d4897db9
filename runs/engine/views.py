"""Receives Lamina's webhooks. Each run has its own URL for webhooks, and a signature proves that Lamina sent them."""

from http import HTTPStatus

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from runs.engine import webhooks
from runs.web.body_limits import declared_bytes, judges_body

BODY_LIMIT = 2_000_000  # maximum size of a delivery, in bytes


@csrf_exempt
@login_not_required
@require_POST
@judges_body
def webhook(request: HttpRequest, token: str) -> HttpResponse:
    """Check and apply a delivery. The body is read only if the token belongs to a run.

    We respond within a second, because fetching the files is left to the worker.
    """
    run = webhooks.run_of(token)
    if run is None:
        return HttpResponse(status=HTTPStatus.NOT_FOUND)
    if declared_bytes(request) > BODY_LIMIT:
        return HttpResponse(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    try:
        body = request.body
    except UnreadablePostError:
        return HttpResponse(status=HTTPStatus.BAD_REQUEST)
    return HttpResponse(status=webhooks.receive(run, body, request.headers, timezone.now()))
