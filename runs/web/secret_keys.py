"""Keyed hashes that survive a change of `PORTAL_SECRET_KEY`: new hashes use the current key, but hashes made with old
keys are accepted too.

Django does the same for its own signatures (sessions, `django.core.signing`); this module is for our own hashes.
"""

from collections.abc import Iterator

from django.conf import settings
from django.utils.crypto import salted_hmac


def keyed_hash(salt: str, text: str) -> bytes:
    """Return a 32-byte hash of `text`, keyed with the portal's secret key."""
    return next(keyed_hashes(salt, text))


def keyed_hashes(salt: str, text: str) -> Iterator[bytes]:
    """Yield the hash with each valid key: first the current one, then `PORTAL_SECRET_KEY_FALLBACKS`."""
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        yield salted_hmac(salt, text, secret=key, algorithm="sha256").digest()
