"""Where Lamina delivers news of a run: the path is the run's own, the signature is the proof."""

from http import HTTPStatus

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from runs.services import deliveries

BODY_LIMIT = 2_000_000  # bytes


@csrf_exempt
@login_not_required
@require_POST
def hook(request: HttpRequest, token: str) -> HttpResponse:
    """Answers within a second: the body is checked and applied, files are fetched later by the worker."""
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return HttpResponse(status=HTTPStatus.BAD_REQUEST)
    if length > BODY_LIMIT:
        return HttpResponse(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    try:
        body = request.body
    except RequestDataTooBig:
        return HttpResponse(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    except UnreadablePostError:
        return HttpResponse(status=HTTPStatus.BAD_REQUEST)
    return HttpResponse(status=deliveries.receive(token, body, request.headers, timezone.now()))
