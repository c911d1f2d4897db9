"""What happens around every request and needs the portal's own tables."""

from collections.abc import Callable
from contextlib import suppress

from django.db import DatabaseError
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from runs.team import sessions


class SeenMiddleware:
    """Notes, every few minutes, that the browser of somebody who is signed in was here."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with suppress(DatabaseError):  # the view will meet it, and knows what to say
            sessions.note_seen(request)
        return self.get_response(request)
