"""Addresses that are the proof themselves: an invite, a link for guests.

A token is a keyed hash (HMAC-SHA-256, 192 bits kept) of a random nonce: the nonce lies in the database, the key is the
portal's own and lies outside of it. So whoever made a link can copy it again later, while the database alone opens
nothing: of the token itself only a SHA-256 is stored, and by that it is found.
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
LONGEST_TOKEN = 100  # nothing of ours is longer; spares hashing what somebody pours in


class Purpose(StrEnum):
    """What a token is for: one made for the one never opens the other."""

    INVITE = "invite"
    GUEST = "guest"


class NewLink(NamedTuple):
    """What to store (NONCE, TOKEN_HASH) and what to hand over (TOKEN)."""

    nonce: str
    token: str
    token_hash: str


def new_link(purpose: Purpose) -> NewLink:
    """A fresh secret for PURPOSE."""
    nonce = secrets.token_urlsafe(24)
    token = token_of(purpose, nonce)
    return NewLink(nonce, token, hash_of(token))


def token_of(purpose: Purpose, nonce: str) -> str:
    """The token that belongs to NONCE, the same every time."""
    return next(_tokens_of(purpose, nonce))


def token_again(purpose: Purpose, nonce: str, token_hash: str) -> str:
    """The token, to copy it again; empty if its key is no longer known (the link still works)."""
    tokens = _tokens_of(purpose, nonce)
    return next((token for token in tokens if constant_time_compare(hash_of(token), token_hash)), "")


def _tokens_of(purpose: Purpose, nonce: str) -> Iterator[str]:
    """What `nonce` gives with the portal's secret key, then with former ones."""
    for digest in keyed_hashes(f"portal.secret-link.{purpose}", nonce):
        yield base64.urlsafe_b64encode(digest[:TOKEN_BYTES]).decode("ascii")


def hash_of(token: str) -> str:
    """What is stored of TOKEN."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def find[Row: Model](rows: QuerySet[Row], token: str) -> Row | None:
    """The one of ROWS (with a field `token_hash`) that TOKEN opens."""
    if not token or len(token) > LONGEST_TOKEN:
        return None
    wanted = hash_of(token)
    row: Any = rows.filter(token_hash=wanted).first()
    return row if row is not None and constant_time_compare(row.token_hash, wanted) else None


def full_address(path: str) -> str:
    """PATH of the portal as people outside reach it."""
    return f"{settings.PORTAL_URL.rstrip('/')}{path}"
