"""The sandbox's two demo accounts. Their password is public, so they work only on the portal's own machine.

Behind a proxy on the same machine, outside requests look local: with nginx's plain `proxy_pass`, they come from
127.0.0.1 and have the portal's local address as their Host header. So any sign of a proxy, or a public PORTAL_URL,
blocks these accounts.
"""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_noop

from lamina_portal.environment import is_loopback
from runs.models import Member

DEMO_PASSWORD = "demo"  # noqa: S105 - public on purpose
DEMO_PEOPLE = (  # email address, name, role
    ("demo@example.com", "Demo", "admin"),
    ("sam@example.com", "Sam", "approver"),
)
DEMO_EMAILS = frozenset(email for email, _, _ in DEMO_PEOPLE)
IS_LOCAL = "portal.is_local"  # a key in `request.META` that no header can set
REFUSED = gettext_noop(  # translated where it is used
    "The demo accounts work only on the portal's own computer, not through a proxy. Sign in with your own account;"
    " “manage.py createsuperuser” creates the first one."
)


def record_origin(request: HttpRequest) -> None:
    """Record whether `request` comes from this machine. Call this before any of its headers are trusted or removed."""
    request.META[IS_LOCAL] = _is_local(request)


def is_shut_out(request: HttpRequest | None, email: str) -> bool:
    """Return whether `email` is a demo account that may not sign in from the machine that sent `request`."""
    return email.lower() in DEMO_EMAILS and not (request is not None and request.META.get(IS_LOCAL, False))


def demo_members(request: HttpRequest) -> list[Member]:
    """Return the demo accounts to offer on the sign-in page; none unless `request` comes from the sandbox's own
    machine."""
    if not settings.IS_SANDBOX or is_shut_out(request, DEMO_PEOPLE[0][0]):
        return []
    return list(Member.objects.filter(email__in=DEMO_EMAILS, is_active=True).order_by("role"))


def _is_local(request: HttpRequest) -> bool:
    meta = request.META
    if not is_loopback(_host_of(settings.PORTAL_URL)) or not is_loopback(meta.get("REMOTE_ADDR", "")):
        return False
    if not is_loopback(_host_of(f"//{meta.get('HTTP_HOST', '')}")):
        return False
    if "HTTP_ORIGIN" in meta and not is_loopback(_host_of(meta["HTTP_ORIGIN"])):
        return False
    return not _is_proxied(request)


def _is_proxied(request: HttpRequest) -> bool:
    """Return whether `request` came through a proxy: it has proxy headers, or it uses HTTP/1.0, which no browser does
    but nginx did up to 1.29.7."""
    meta = request.META
    if any(name in meta for name in ("HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP")):
        return True
    return meta.get("SERVER_PROTOCOL") == "HTTP/1.0" or any(name.startswith("HTTP_X_FORWARDED") for name in meta)


def _host_of(url: str) -> str:
    """Return the host of `url`, or "" if it has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


class DemoPeopleMiddleware:
    """Ignores sessions of demo accounts in requests from other machines."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.META.get(IS_LOCAL, False):
            user = request.user
            request.user = SimpleLazyObject(lambda: _unless_demo(user))  # type: ignore[assignment]  # as Django does
        return self.get_response(request)


def _unless_demo(user: object) -> object:
    return AnonymousUser() if getattr(user, "email", "").lower() in DEMO_EMAILS else user
