"""Slow down password guessing without letting strangers lock anyone out.

Wrong passwords are counted in three ways: per account and IP address, per IP address, and per account from anywhere.
The last limit is so high that it takes many machines to reach it; otherwise, anyone who knows an email address could
lock out its owner. The limit per IP address doesn't apply to people who recently signed in from there, so a guessing
script in an office doesn't lock out everyone else. A browser that someone has signed in with has a signed cookie. Their
attempts there are counted separately, so even many machines can't lock them out of it.
"""

import hashlib
import ipaddress
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext_noop

from runs.models import KnownAddress, ThrottleHit
from runs.web.secret_keys import keyed_hash, keyed_hashes

WINDOW = timedelta(minutes=10)
MAX_PER_PAIR = 10  # maximum number of wrong passwords within WINDOW for one account from one IP address
MAX_PER_ADDRESS = 50  # the limit for one IP address, which a whole office may share
MAX_PER_ACCOUNT = 100  # the limit for one account from anywhere
MAX_PER_DEVICE = 10  # the limit for one account in a browser that has signed in to it before

DEVICE_COOKIE = "portal_device"
DEVICE_SALT = "portal.device"
DEVICE_AGE = timedelta(days=365)
PEOPLE_PER_DEVICE = 5

KNOWN_SALT = "portal.known-address"
KNOWN_FOR = timedelta(days=30)

# Translated where it is used.
SENTENCE = gettext_noop("Too many attempts. Wait ten minutes, then try again.")


class TooManyError(Exception):
    """Raised when there have been too many attempts; the person has to wait."""


class Attempt:
    """One attempt, for example to sign in. It is counted before `limits` are checked, so that simultaneous attempts
    can't slip through."""

    def __init__(self, limits: Mapping[str, int]) -> None:
        self._rows = ThrottleHit.objects
        self._keys = [_hash(key) for key in limits]
        self._mine = self._rows.bulk_create([self._rows.model(key=key) for key in self._keys])
        now = timezone.now()
        # Leave out attempts recorded by machines whose clocks were ahead
        recent = self._rows.filter(at__range=(now - WINDOW, now + WINDOW))
        if any(recent.filter(key=key).count() > limit for key, limit in zip(self._keys, limits.values(), strict=True)):
            self.take_back()  # otherwise, a script that keeps trying would lock people out forever
            raise TooManyError

    def take_back(self) -> None:
        """Stop counting the attempt, for example because the password was right."""
        self._rows.filter(pk__in=[row.pk for row in self._mine]).delete()

    def is_first_in_an_hour(self) -> bool:
        """Return whether this is the first attempt with the first key in the last hour."""
        lately = self._rows.filter(key=self._keys[0], at__gt=timezone.now() - timedelta(hours=1))
        return not lately.filter(pk__lt=self._mine[0].pk).exists()

    def forgive_first(self) -> None:
        """Stop counting this successful attempt, as well as earlier failed ones with the first key, which were probably
        typos."""
        self.take_back()
        self._rows.filter(key=self._keys[0]).delete()


def sign_in_limits(request: HttpRequest | None, email: str) -> dict[str, int]:
    """Return the limits that apply to an attempt to sign in as `email`, the narrowest first."""
    if knows_browser(request, email):
        return {f"device:{_device_of(request)['id']}:{email}": MAX_PER_DEVICE}
    address = address_of(request)
    limits = {f"pair:{email}:{address}": MAX_PER_PAIR, f"email:{email}": MAX_PER_ACCOUNT}
    return limits if _is_known_at(email, address) else limits | {f"address:{address}": MAX_PER_ADDRESS}


def knows_browser(request: HttpRequest | None, email: str) -> bool:
    """Return whether `email` has signed in before from the browser of `request`."""
    people = _device_of(request)["people"]
    return any(_mark(digest) in people for digest in keyed_hashes(DEVICE_SALT, email))


def remember_address(request: HttpRequest, email: str) -> None:
    """Exempt `email` from the limit for the IP address of `request` for 30 days."""
    rows = KnownAddress.objects
    row = rows.model(key=keyed_hash(KNOWN_SALT, _pair(email, address_of(request))).hex(), at=timezone.now())
    rows.bulk_create([row], update_conflicts=True, unique_fields=["key"], update_fields=["at"])


def _is_known_at(email: str, address: str) -> bool:
    rows = KnownAddress.objects
    keys = [digest.hex() for digest in keyed_hashes(KNOWN_SALT, _pair(email, address))]
    return bool(rows.filter(key__in=keys, at__gt=timezone.now() - KNOWN_FOR).exists())


def _pair(email: str, address: str) -> str:
    return f"{email}\n{address}"


def address_of(request: HttpRequest | None) -> str:
    """Return the IP address of `request`; for IPv6, its /64 network, because one client may have a whole network to
    itself.

    Servers that listen on IPv6 see IPv4 clients as ::ffff:a.b.c.d, all in the same network, so each of these addresses
    is counted separately.
    """
    text = request.META.get("REMOTE_ADDR", "") if request else ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    if isinstance(address, ipaddress.IPv4Address):
        return text
    return str(address.ipv4_mapped or ipaddress.ip_network(f"{text}/64", strict=False))


def remember_device(request: HttpRequest, response: HttpResponseBase, email: str) -> None:
    """Record in the browser's cookie that `email` has signed in there."""
    device = _device_of(request)
    mark, *old_marks = (_mark(digest) for digest in keyed_hashes(DEVICE_SALT, email))
    others = [other for other in device["people"] if other not in (mark, *old_marks)]
    device["people"] = [mark, *others][:PEOPLE_PER_DEVICE]
    response.set_cookie(
        f"{settings.COOKIE_PREFIX}{DEVICE_COOKIE}",
        signing.dumps(device, salt=DEVICE_SALT),
        max_age=DEVICE_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _device_of(request: HttpRequest | None) -> dict[str, Any]:
    """Return the device from the browser's cookie; a new device if the cookie is missing or forged."""
    cookie = request.COOKIES.get(f"{settings.COOKIE_PREFIX}{DEVICE_COOKIE}", "") if request else ""
    try:
        device: dict[str, Any] = signing.loads(cookie, salt=DEVICE_SALT, max_age=DEVICE_AGE)
    except signing.BadSignature:
        return {"id": secrets.token_urlsafe(12), "people": []}
    return device


def _mark(digest: bytes) -> str:
    return digest.hex()[:24]


def _hash(text: str) -> str:
    """Return the hash of a key, so that no email or IP addresses are stored."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def tidy(now: datetime) -> None:
    """Delete attempts older than a day, and IP addresses that no longer count as known."""
    ThrottleHit.objects.filter(at__lt=now - timedelta(days=1)).delete()
    KnownAddress.objects.filter(at__lt=now - timedelta(days=31)).delete()  # known addresses count for 30 days
