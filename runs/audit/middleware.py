"""Keeps track of who sent the current request, so that the audit record can name them."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from runs.audit import networks
from runs.audit.actors import Actor, Way, acting_as
from runs.models.ids import new_public_id

GUESTS = "guest"  # the names of all guest URLs start with this
LAMINA = "webhook"  # URL name of Lamina's webhooks; any changes they make are attributed to the portal


class ActorMiddleware:
    """Records the member or guest who sent a request as the actor for all changes made during it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id = new_public_id()
        with acting_as(lambda: _actor_of(request, request_id)):
            return self.get_response(request)


def _actor_of(request: HttpRequest, request_id: str) -> Actor:
    """Return who is acting right now, which changes if a member signs in during the request."""
    name = (request.resolver_match and request.resolver_match.url_name) or ""
    if name == LAMINA:
        return Actor(Way.WORKER, request_id=request_id)
    network = networks.cut(request.META.get("REMOTE_ADDR", ""))
    if name.startswith(GUESTS):
        return Actor(Way.GUEST, request_id=request_id, network=network)
    if request.user.is_authenticated:
        return Actor(Way.PAGE, request.user.pk, request.user.display_name, request_id, network)
    return Actor(Way.PAGE, request_id=request_id, network=network)
