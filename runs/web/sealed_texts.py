"""Text that is stored encrypted, so that reading the database isn't enough to make use of it.

The key is derived from `PORTAL_SECRET_KEY`, so it isn't in the database. Text sealed with an earlier key can be read as
long as that key is in `PORTAL_SECRET_KEY_FALLBACKS`.

`cryptography` takes up 6 MB of memory, so it isn't loaded until something is sealed or opened.
"""

import base64
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from cryptography.fernet import Fernet, MultiFernet


class SealedError(Exception):
    """Raised when sealed text can't be opened with any of the portal's keys. The error never contains any of the
    text."""


def seal(purpose: str, text: str) -> str:
    """Return `text` encrypted with the current key. Text sealed for one `purpose` can't be opened for another."""
    return _box(purpose).encrypt(text.encode()).decode("ascii")


def unseal(purpose: str, sealed: str) -> str:
    """Return the text that `seal` encrypted. Raises `SealedError`."""
    from cryptography.fernet import InvalidToken

    try:
        return _box(purpose).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise SealedError from None


def sealed_again(purpose: str, sealed: str) -> str:
    """Return `sealed` re-encrypted with the current key, so that earlier keys can be removed. Raises `SealedError`."""
    from cryptography.fernet import InvalidToken

    try:
        return _box(purpose).rotate(sealed.encode()).decode("ascii")
    except InvalidToken:
        raise SealedError from None


def _box(purpose: str) -> "MultiFernet":
    from cryptography.fernet import MultiFernet

    return MultiFernet([_fernet(purpose, key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _fernet(purpose: str, key: str) -> "Fernet":
    from cryptography.fernet import Fernet
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"portal.sealed.{purpose}".encode())
    return Fernet(base64.urlsafe_b64encode(derived.derive(key.encode())))
