"""Slow for those who guess, while no stranger can lock anybody out.

Wrong passwords are counted for an account from one address, for an address whatever the account, and for an account
from anywhere: the last with a limit so high that it takes many machines to reach, since everybody who knows a mail
address could use it to keep its owner out. A browser in which somebody has signed in before carries a signed cookie
that says so; for that person it counts by itself alone, so not even many machines keep them out of it.
"""

import hashlib
import ipaddress
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.crypto import salted_hmac

WINDOW = timedelta(minutes=10)
MAX_PER_PAIR = 10  # wrong passwords in WINDOW for one account from one address
MAX_PER_ADDRESS = 50  # a whole office may share one address
MAX_PER_ACCOUNT = 100  # from anywhere
MAX_PER_DEVICE = 10  # for one account in a browser that knows it

DEVICE_COOKIE = "portal_device"
DEVICE_SALT = "portal.device"
DEVICE_AGE = timedelta(days=365)
PEOPLE_PER_DEVICE = 5


class TooManyError(Exception):
    """Somebody has to wait."""


class Attempt:
    """One try, counted before it is judged, so that many at once do not slip through. LIMITS: what it counts for."""

    def __init__(self, limits: Mapping[str, int]) -> None:
        self._rows = apps.get_model("runs", "SignInAttempt")._default_manager  # this package never imports `runs`
        self._keys = [_hash(key) for key in limits]
        self._mine = self._rows.bulk_create([self._rows.model(key=key) for key in self._keys])
        now = timezone.now()
        recent = self._rows.filter(at__range=(now - WINDOW, now + WINDOW))  # none of a clock that was hours ahead
        if any(recent.filter(key=key).count() > limit for key, limit in zip(self._keys, limits.values(), strict=True)):
            self.take_back()  # or a stubborn script locks out for ever
            raise TooManyError

    def take_back(self) -> None:
        """It was no wrong one."""
        self._rows.filter(pk__in=[row.pk for row in self._mine]).delete()

    def forgive_first(self) -> None:
        """It was the right one, and the wrong ones before it that count for the first key were slips."""
        self.take_back()
        self._rows.filter(key=self._keys[0]).delete()


def sign_in_limits(request: HttpRequest | None, email: str) -> dict[str, int]:
    """What a try to sign in as EMAIL counts for; the narrowest first."""
    device = _device_of(request)
    if _mark_of(email) in device["people"]:
        return {f"device:{device['id']}:{email}": MAX_PER_DEVICE}
    address = address_of(request)
    return {
        f"pair:{email}:{address}": MAX_PER_PAIR,
        f"address:{address}": MAX_PER_ADDRESS,
        f"email:{email}": MAX_PER_ACCOUNT,
    }


def address_of(request: HttpRequest | None) -> str:
    """Where REQUEST comes from; of IPv6 the network of 64 bits, since whoever has one address there has them all. A
    server that listens on IPv6 sees IPv4 clients as ::ffff:a.b.c.d, all of them in one such network: they count as
    themselves."""
    text = request.META.get("REMOTE_ADDR", "") if request else ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    if isinstance(address, ipaddress.IPv4Address):
        return text
    return str(address.ipv4_mapped or ipaddress.ip_network(f"{text}/64", strict=False))


def remember_device(request: HttpRequest, response: HttpResponseBase, email: str) -> None:
    """Let the browser carry that EMAIL has signed in there."""
    device = _device_of(request)
    mark = _mark_of(email)
    device["people"] = [mark, *(other for other in device["people"] if other != mark)][:PEOPLE_PER_DEVICE]
    response.set_cookie(
        f"{settings.COOKIE_PREFIX}{DEVICE_COOKIE}",
        signing.dumps(device, salt=DEVICE_SALT),
        max_age=DEVICE_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _device_of(request: HttpRequest | None) -> dict[str, Any]:
    """What the browser's cookie says; a new device when there is none or it is not ours."""
    names = (f"{settings.COOKIE_PREFIX}{DEVICE_COOKIE}", DEVICE_COOKIE)  # the second: from before there was a prefix
    cookie = next(filter(None, map(request.COOKIES.get, names)), "") if request else ""
    try:
        device: dict[str, Any] = signing.loads(cookie, salt=DEVICE_SALT, max_age=DEVICE_AGE)
    except signing.BadSignature:
        return {"id": secrets.token_urlsafe(12), "people": []}
    return device


def _mark_of(email: str) -> str:
    return salted_hmac(DEVICE_SALT, email, algorithm="sha256").hexdigest()[:24]


def _hash(text: str) -> str:
    """Neither mail nor address is written down."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
