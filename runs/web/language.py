"""The language of a page: the one chosen in the member's settings or, if there is none, the one the browser asks
for."""

from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers

from runs.models import Member
from runs.web.streamed_responses import stream_within

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class BrowserLanguageMiddleware:
    """Activates the language that the browser asks for, but only for this request, because threads are reused."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with translation.override(translation.get_language_from_request(request)):
            response = self.get_response(request)
            language = translation.get_language() or settings.LANGUAGE_CODE
            if response.headers.get("Content-Type", "").startswith("text/"):
                response.headers.setdefault("Content-Language", language)
                patch_vary_headers(response, ["Accept-Language"])
            stream_within(response, lambda: translation.override(language))
            return response


class MemberLanguageMiddleware:
    """Activates the language that a signed-in person chose in their settings."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        member = member_of(request)
        if member and member.language:
            translation.activate(member.language)
        return self.get_response(request)


def member_of(request: HttpRequest) -> Member | None:
    """Return the signed-in member; None for anyone else, or if the database is unavailable."""
    member = getattr(request, "user", None)
    try:
        return member if isinstance(member, Member) else None
    except DatabaseError:
        return None  # the view will hit the same error and can report it
