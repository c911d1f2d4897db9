"""Links whose secret URL grants access: invites and guest links.

A token is a keyed hash (192 bits of HMAC-SHA-256) of a random nonce. The nonce is in the database; the portal's key is
not. So whoever created a link can copy it again later, but the database alone doesn't give access: it only holds the
token's SHA-256 hash, which is used to find the link.
"""

import base64
import hashlib
import secrets
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Model, QuerySet
from django.utils.crypto import constant_time_compare

from runs.web.secret_keys import keyed_hashes

TOKEN_BYTES = 24  # 192 bits, 32 characters
LONGEST_TOKEN = 100  # longer than any of our tokens; longer input isn't hashed


class Purpose(StrEnum):
    """Purpose of a token. A token for one purpose never works for another."""

    INVITE = "invite"
    GUEST = "guest"


class NewLink(NamedTuple):
    """A new secret: what to store (`nonce` and `token_hash`), and what to pass on (`token`)."""

    nonce: str
    token: str
    token_hash: str


def new_link(purpose: Purpose) -> NewLink:
    """Create a new secret for `purpose`."""
    nonce = secrets.token_urlsafe(24)
    token = token_of(purpose, nonce)
    return NewLink(nonce, token, hash_of(token))


def token_of(purpose: Purpose, nonce: str) -> str:
    """Return the token for `nonce`, which stays the same until the secret key changes."""
    return next(_tokens_of(purpose, nonce))


def token_again(purpose: Purpose, nonce: str, token_hash: str) -> str:
    """Return the token, so that the link can be copied again; "" if we no longer have the key it was made with (even
    then, the link still works)."""
    tokens = _tokens_of(purpose, nonce)
    return next((token for token in tokens if constant_time_compare(hash_of(token), token_hash)), "")


def _tokens_of(purpose: Purpose, nonce: str) -> Iterator[str]:
    """Yield the tokens for `nonce`, first with the portal's secret key, then with earlier keys."""
    for digest in keyed_hashes(f"portal.secret-link.{purpose}", nonce):
        yield base64.urlsafe_b64encode(digest[:TOKEN_BYTES]).decode("ascii")


def hash_of(token: str) -> str:
    """Return the token's hash, as stored in the database."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def find[Row: Model](rows: QuerySet[Row], token: str) -> Row | None:
    """Return the row that `token` belongs to, or None; `rows` must have a `token_hash` field."""
    if not token or len(token) > LONGEST_TOKEN:
        return None
    token_hash = hash_of(token)
    row: Any = rows.filter(token_hash=token_hash).first()
    return row if row is not None and constant_time_compare(row.token_hash, token_hash) else None


def full_address(path: str) -> str:
    """Return the public URL of `path`."""
    return f"{settings.PORTAL_URL.rstrip('/')}{path}"
