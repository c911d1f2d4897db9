"""Slow down password guessing without letting strangers lock anyone out.

Wrong passwords are counted per account and address, per address, and per account from anywhere. The last limit is so
high that it takes many machines to reach: otherwise anyone who knows an email address could lock its owner out. People
who signed in from an address recently don't count towards its limit, so one guessing script in an office doesn't lock
out the others. Browsers that were used to sign in carry a signed cookie; for that person, such a browser is counted
separately, so even many machines can't lock them out there.
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
MAX_PER_PAIR = 10  # wrong passwords in WINDOW for one account from one address
MAX_PER_ADDRESS = 50  # a whole office may share one address
MAX_PER_ACCOUNT = 100  # from anywhere
MAX_PER_DEVICE = 10  # for one account in a browser that knows it

DEVICE_COOKIE = "portal_device"
DEVICE_SALT = "portal.device"
DEVICE_AGE = timedelta(days=365)
PEOPLE_PER_DEVICE = 5

KNOWN_SALT = "portal.known-address"
KNOWN_FOR = timedelta(days=30)

# Translated where it is used.
SENTENCE = gettext_noop("There were too many attempts. Wait ten minutes, then try again.")


class TooManyError(Exception):
    """Someone has to wait."""


class Attempt:
    """One attempt, counted for `limits` before it is checked, so that many at once don't slip through."""

    def __init__(self, limits: Mapping[str, int]) -> None:
        self._rows = ThrottleHit.objects
        self._keys = [_hash(key) for key in limits]
        self._mine = self._rows.bulk_create([self._rows.model(key=key) for key in self._keys])
        now = timezone.now()
        recent = self._rows.filter(at__range=(now - WINDOW, now + WINDOW))  # not those of a clock that was hours ahead
        if any(recent.filter(key=key).count() > limit for key, limit in zip(self._keys, limits.values(), strict=True)):
            self.take_back()  # otherwise a stubborn script locks people out for ever
            raise TooManyError

    def take_back(self) -> None:
        """Uncount the attempt: it wasn't a wrong one."""
        self._rows.filter(pk__in=[row.pk for row in self._mine]).delete()

    def forgive_first(self) -> None:
        """Uncount a right attempt, and the wrong ones before it that count for the first key: they were slips."""
        self.take_back()
        self._rows.filter(key=self._keys[0]).delete()


def sign_in_limits(request: HttpRequest | None, email: str) -> dict[str, int]:
    """What an attempt to sign in as `email` counts for; the narrowest first."""
    if knows_browser(request, email):
        return {f"device:{_device_of(request)['id']}:{email}": MAX_PER_DEVICE}
    address = address_of(request)
    limits = {f"pair:{email}:{address}": MAX_PER_PAIR, f"email:{email}": MAX_PER_ACCOUNT}
    return limits if _is_known_at(email, address) else limits | {f"address:{address}": MAX_PER_ADDRESS}


def knows_browser(request: HttpRequest | None, email: str) -> bool:
    """Whether `email` has signed in before in the browser of `request`."""
    people = _device_of(request)["people"]
    return any(_mark(digest) in people for digest in keyed_hashes(DEVICE_SALT, email))


def remember_address(request: HttpRequest, email: str) -> None:
    """For 30 days, wrong passwords for `email` don't count towards the address of `request`."""
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
    """Where `request` comes from. For IPv6 the 64-bit network, since whoever has one address there has them all. A
    server that listens on IPv6 sees IPv4 clients as ::ffff:a.b.c.d, all in one such network: each counts by itself."""
    text = request.META.get("REMOTE_ADDR", "") if request else ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    if isinstance(address, ipaddress.IPv4Address):
        return text
    return str(address.ipv4_mapped or ipaddress.ip_network(f"{text}/64", strict=False))


def remember_device(request: HttpRequest, response: HttpResponseBase, email: str) -> None:
    """Store in the browser that `email` has signed in there."""
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
    """What the browser's cookie says; a new device if there is none or it is not ours."""
    names = (f"{settings.COOKIE_PREFIX}{DEVICE_COOKIE}", DEVICE_COOKIE)  # the second: without the prefix
    cookie = next(filter(None, map(request.COOKIES.get, names)), "") if request else ""
    try:
        device: dict[str, Any] = signing.loads(cookie, salt=DEVICE_SALT, max_age=DEVICE_AGE)
    except signing.BadSignature:
        return {"id": secrets.token_urlsafe(12), "people": []}
    return device


def _mark(digest: bytes) -> str:
    return digest.hex()[:24]


def _hash(text: str) -> str:
    """Neither mail nor address is written down."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def tidy(now: datetime) -> None:
    """Forget attempts of yesterday, and addresses that no longer count as known."""
    ThrottleHit.objects.filter(at__lt=now - timedelta(days=1)).delete()
    KnownAddress.objects.filter(at__lt=now - timedelta(days=31)).delete()  # counts for 30
