"""Records when browsers were last seen, and handles requests from people who aren't signed in."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from runs.team import sessions, views_sign_in
from runs.web.automatic import LIVE, is_automatic
from runs.web.session_lifetime import BROWSER


class SeenMiddleware:
    """Records, every few minutes, when a signed-in member's browser was last seen."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with suppress(DatabaseError):  # the view will hit the same error and can report it
            sessions.record_seen(request, is_visit=not is_automatic(request))
        return self.get_response(request)


class HtmxLoginRequiredMiddleware(LoginRequiredMiddleware):
    """Requires people to be signed in by default, and tells `request.user` which browser they use. If someone's session
    has expired, nothing they typed is lost.

    htmx would put the sign-in page into a card, so we tell htmx to load it as a full page, which leads back to the
    original page after signing in. If a page is only polling for its bell, balance or newly shared runs, the response
    is empty, because someone may be in the middle of typing on that page. A form posted by the browser itself gets the
    sign-in page, which carries the posted values along. When scripts post something, the status is 401, because they
    would mistake a page with status 200 for success.
    """

    def process_view(
        self, request: HttpRequest, view_func: Callable[..., Any], view_args: Any, view_kwargs: Any
    ) -> HttpResponseBase | None:
        response = super().process_view(request, view_func, view_args, view_kwargs)
        if response is None and getattr(view_func, "login_required", True) and request.user.is_authenticated:
            request.user.browser = request.session.get(BROWSER, "")
        return response

    def handle_no_permission(  # type: ignore[override]  # Django itself accepts any response
        self, request: HttpRequest, view_func: Callable[..., Any]
    ) -> HttpResponseBase:
        htmx = getattr(request, "htmx", None)
        if htmx and _is_only_frame(request):
            return HttpResponse(status=204)
        if htmx:
            login = redirect_to_login(_page_of(htmx), str(self.get_login_url(view_func)))
            return HttpResponseClientRedirect(login.url, status=401 if request.method == "POST" else 200)
        if request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate":
            return HttpResponse(_("Sign in again."), status=401, content_type="text/plain; charset=utf-8")
        if request.method == "POST":
            return views_sign_in.ask_and_keep(request)
        return super().handle_no_permission(request, view_func)


def _is_only_frame(request: HttpRequest) -> bool:
    """Return whether this is an open page just polling for its bell, balance or newly shared runs, rather than for a
    run it shows."""
    is_polled = request.method == "GET" and request.path.startswith(LIVE)
    return is_polled and bool(request.GET) and "r" not in request.GET


def _page_of(htmx: Any) -> str:
    """Return the page the person was on, according to htmx; Home if htmx sent an invalid URL."""
    try:
        return htmx.current_url_abs_path or "/"
    except ValueError:
        return "/"
