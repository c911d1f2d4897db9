"""The language of a page: the one chosen in the member's settings, otherwise the one that the browser asks for."""

from collections.abc import Callable, Iterator

from django.conf import settings
from django.db import DatabaseError
from django.http import FileResponse, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers

from runs.models import Member

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class BrowserLanguageMiddleware:
    """Activates the language the browser asks for, but only for this request, since threads are reused."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with translation.override(translation.get_language_from_request(request)):
            response = self.get_response(request)
            language = translation.get_language() or settings.LANGUAGE_CODE
            if response.headers.get("Content-Type", "").startswith("text/"):
                response.headers.setdefault("Content-Language", language)
                patch_vary_headers(response, ["Accept-Language"])
            if isinstance(response, StreamingHttpResponse) and not isinstance(response, FileResponse):
                response.streaming_content = _in_language(iter(response), language)
            return response


def _in_language(pieces: Iterator[bytes], language: str) -> Iterator[bytes]:
    """Produce each piece of a streamed archive in `language`, since it contains a sheet for people to read."""
    while True:
        with translation.override(language):
            try:
                piece = next(pieces)
            except StopIteration:
                return
        yield piece


class MemberLanguageMiddleware:
    """Activates the language that a signed-in person chose in their settings."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if language := _chosen_by(request):
            translation.activate(language)
        return self.get_response(request)


def _chosen_by(request: HttpRequest) -> str:
    member = getattr(request, "user", None)
    try:
        return member.language if isinstance(member, Member) else ""
    except DatabaseError:
        return ""  # the view will hit the same error and can report it
