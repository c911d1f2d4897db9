"""Who is here: when a browser was last seen, and what those get who are not signed in."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django_htmx.http import HttpResponseClientRedirect

from runs.team import sessions, views_sign_in


class SeenMiddleware:
    """Notes, every few minutes, that the browser of somebody who is signed in was here."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with suppress(DatabaseError):  # the view will meet it, and knows what to say
            sessions.record_seen(request)
        return self.get_response(request)


class HtmxLoginRequiredMiddleware(LoginRequiredMiddleware):
    """Sign-in by default. Nothing typed is lost by an expired one, whoever asks.

    htmx would swap a sign-in page into a card, so it is sent to the page instead, and back to where the person was.
    A form posted without scripts is answered by the sign-in page itself, which carries the values along. Other
    scripts get 401: for them a page with status 200 would look like success.
    """

    def handle_no_permission(  # type: ignore[override]  # Django itself takes any response
        self, request: HttpRequest, view_func: Callable[..., Any]
    ) -> HttpResponseBase:
        htmx = getattr(request, "htmx", None)
        if htmx:
            login = redirect_to_login(_page_of(htmx), str(self.get_login_url(view_func)))
            return HttpResponseClientRedirect(login.url)
        if request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate":
            return HttpResponse("Sign in again.", status=401, content_type="text/plain")
        if request.method == "POST":
            return views_sign_in.ask_and_keep(request)
        return super().handle_no_permission(request, view_func)


def _page_of(htmx: Any) -> str:
    """The page the person was on, by htmx's word; Home when that is no address."""
    try:
        return htmx.current_url_abs_path or "/"
    except ValueError:
        return "/"
