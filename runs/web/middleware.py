"""Middleware for trusted proxies, requests that are rejected right away, and the headers of every page."""

import ipaddress
import re
from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.templatetags.static import static

from runs.web import demo_accounts

GetResponse = Callable[[HttpRequest], HttpResponseBase]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# Browser features turned off for pages and the files they show. The portal itself needs the clipboard and full screen.
PERMISSIONS_POLICY = ", ".join(
    [
        *("clipboard-read=(self)", "clipboard-write=(self)", "fullscreen=(self)", "picture-in-picture=(self)"),
        *("accelerometer=()", "autoplay=()", "camera=()", "display-capture=()", "encrypted-media=()"),
        *("geolocation=()", "gyroscope=()", "hid=()", "idle-detection=()", "local-fonts=()", "magnetometer=()"),
        *("microphone=()", "midi=()", "payment=()", "publickey-credentials-get=()", "screen-wake-lock=()"),
        *("serial=()", "sync-xhr=()", "usb=()", "window-management=()", "xr-spatial-tracking=()"),
    ]
)
# An IP address with a port, as some proxies send it
WITH_PORT = re.compile(r"(?:\[([^\]]*)\]|([^:]*))(?::\d{1,5})?", re.ASCII)
FORWARDED = ("FOR", "PROTO", "HOST", "PORT", "SERVER", "SSL")


class TrustedProxyMiddleware:
    """Accepts `X-Forwarded-For`, `-Proto` and `-Host` only from PORTAL_TRUSTED_PROXIES; removes them from all other
    requests.

    If the sender is a trusted proxy, REMOTE_ADDR becomes the last IP address in `X-Forwarded-For` that isn't a trusted
    proxy itself; the client may have made up everything before that. This middleware comes first, so that all others
    see the client's real IP address.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        try:
            self.trusted = [ipaddress.ip_network(text, strict=False) for text in settings.PORTAL_TRUSTED_PROXIES]
        except ValueError as error:
            raise ImproperlyConfigured(f"PORTAL_TRUSTED_PROXIES: {error}") from None

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        meta = request.META
        demo_accounts.record_origin(request)
        if self._is_trusted(meta.get("REMOTE_ADDR", "")):
            meta["REMOTE_ADDR"] = self._client(meta["REMOTE_ADDR"], meta.get("HTTP_X_FORWARDED_FOR", ""))
            if host := meta.get("HTTP_X_FORWARDED_HOST", "").rpartition(",")[2].strip():
                meta["HTTP_HOST"] = host
            if proto := meta.get("HTTP_X_FORWARDED_PROTO", "").rpartition(",")[2].strip().lower():
                meta["HTTP_X_FORWARDED_PROTO"] = proto
        else:
            meta.pop("HTTP_FORWARDED", None)
            for name in FORWARDED:
                meta.pop(f"HTTP_X_FORWARDED_{name}", None)
        return self.get_response(request)

    def _is_trusted(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in network for network in self.trusted)

    def _client(self, proxy: str, forwarded_for: str) -> str:
        client = proxy
        for text in reversed(forwarded_for.split(",")):
            if _address(text) is None:
                break
            client = str(_address(text))
            if not self._is_trusted(client):
                break
        return client


def _address(text: str) -> Address | None:
    text = text.strip()
    if (match := WITH_PORT.fullmatch(text)) is not None:
        text = match[1] or match[2] or ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    # Servers that listen on IPv6 see IPv4 clients as ::ffff:a.b.c.d.
    return (isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped) or address


class RefuseNulMiddleware:
    """Rejects URLs with a NUL character, which PostgreSQL can't store, and forms in charsets other than UTF-8."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return HttpResponse(render_to_string("400.html"), status=400)
        if request.content_params and request.content_params.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
            return HttpResponse("Send forms as UTF-8.", status=415, content_type="text/plain")
        return self.get_response(request)


class StorablePostMiddleware:
    """Replaces NUL characters, which PostgreSQL can't store, with U+FFFD in posted fields before a view uses them.

    It runs after the CSRF check, which has already read the fields. Views exempt from that check read the body
    themselves.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view_func: Callable[..., Any], *_: Any) -> None:
        if request.method != "POST" or getattr(view_func, "csrf_exempt", False):
            return
        if any("\0" in value for _, values in request.POST.lists() for value in values):
            posted = request.POST.copy()
            for name, values in posted.lists():
                posted.setlist(name, [value.replace("\0", "\ufffd") for value in values])
            request.POST = posted  # type: ignore[assignment]  # as Django's own upload handlers do


class HeadersMiddleware:
    """Prevents caching unless a response allows it, and turns off browser features that pages don't need.

    Files and guests' images may be cached. Pages may not, so that nobody can use the Back button to see private pages
    after someone has signed out.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "private, no-store")
        if _is_page(request, response):
            response.headers["Permissions-Policy"] = PERMISSIONS_POLICY
        return response


def _is_page(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Return whether `response` is a whole page and not a fragment for htmx."""
    is_html = response.headers.get("Content-Type", "").startswith("text/html")
    return is_html and not getattr(request, "htmx", None)


class SpeculationRulesMiddleware:
    """Tells the browsers of signed-in people where to find the rules for prefetching the next page."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        user = getattr(request, "user", None)
        if _is_page(request, response) and self._rules_url and user is not None and user.is_authenticated:
            response.headers["Speculation-Rules"] = f'"{self._rules_url}"'
        return response

    @cached_property
    def _rules_url(self) -> str:
        try:
            return static("portal.speculationrules")
        except ValueError:  # `collectstatic` hasn't run; pages work without the rules
            return ""
