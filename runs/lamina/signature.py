"""Verify webhook deliveries, using the raw bytes and headers, the public keys and the current time.

The signature (Ed25519) covers the timestamp header, a dot and the body exactly as sent; no other header can be trusted.
The checks run in the order that Lamina documents.
"""

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from requests.structures import CaseInsensitiveDict

from runs.lamina import answers, coerce
from runs.lamina.types import RunSnapshot

SIGNATURE_HEADER = "X-Lamina-Webhook-Signature"
TIMESTAMP_HEADER = "X-Lamina-Webhook-Timestamp"
REQUEST_ID_HEADER = "X-Lamina-Webhook-Request-Id"
FRESH_FOR = timedelta(seconds=300)  # how far the timestamp may be from our own clock, in either direction
_SIGNATURE = re.compile(r"[0-9a-fA-F]{128}", re.ASCII)
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)


class Flaw(StrEnum):
    """The reasons for rejecting a delivery, in the order they're checked."""

    HEADERS = "a header is missing or malformed"
    STALE = "the timestamp is more than 5 minutes off"
    SIGNATURE = "no key of the set made this signature"
    BODY = "the body names no run"
    REQUEST_ID = "the request id is not the run's"


@dataclass(frozen=True, slots=True)
class DeliveryCheck:
    """The result of the checks. If `flaw` is None, the delivery is genuine; only then are `run_id` and `snapshot` set.

    Fetch the keys again only after `Flaw.SIGNATURE`, and at most once a minute. Otherwise, forged deliveries would use
    up the request budget.
    """

    flaw: Flaw | None
    run_id: str = ""
    snapshot: RunSnapshot | None = None


def check_delivery(
    raw_body: bytes, headers: Mapping[str, str], keys: Iterable[Mapping[str, Any]], now: datetime
) -> DeliveryCheck:
    """Check one delivery. `raw_body` is the body as received, not parsed; `now` has a time zone. Never raises."""
    by_name = CaseInsensitiveDict(headers)
    timestamp, signature = by_name.get(TIMESTAMP_HEADER, ""), by_name.get(SIGNATURE_HEADER, "")
    if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
        return DeliveryCheck(Flaw.HEADERS)
    if not _is_fresh(int(timestamp), now):
        return DeliveryCheck(Flaw.STALE)
    if not _is_signed(timestamp.encode("ascii") + b"." + raw_body, bytes.fromhex(signature), keys):
        return DeliveryCheck(Flaw.SIGNATURE)
    try:
        snapshot = _snapshot(raw_body)
    except answers.UnreadableAnswer:
        return DeliveryCheck(Flaw.BODY)
    if by_name.get(REQUEST_ID_HEADER, snapshot.run_id) != snapshot.run_id:
        return DeliveryCheck(Flaw.REQUEST_ID)
    return DeliveryCheck(None, snapshot.run_id, snapshot)


def _is_fresh(seconds: int, now: datetime) -> bool:
    return abs(now.astimezone(UTC).timestamp() - seconds) <= FRESH_FOR.total_seconds()


def _is_signed(message: bytes, signature: bytes, keys: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether `signature` is valid for any of `keys`. All of them are tried, because no header gives the
    `kid`."""
    return any(_is_signed_by(key, message, signature) for key in keys)


def _is_signed_by(key: Mapping[str, Any], message: bytes, signature: bytes) -> bool:
    # These imports take 6 MB of memory, so they are delayed until the first webhook arrives.
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        if (key["kty"], key["crv"]) != ("OKP", "Ed25519"):
            return False
        point = key["x"]
        raw = base64.b64decode(point + "=" * (-len(point) % 4), altchars=b"-_", validate=True)
        Ed25519PublicKey.from_public_bytes(raw).verify(signature, message)
    except (InvalidSignature, KeyError, TypeError, ValueError):
        return False
    return True


def _snapshot(raw_body: bytes) -> RunSnapshot:
    """Parse the run in the body, which must be in `data` and have an id. Raises `Unreadable`."""
    body = answers.decode(raw_body)
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, dict) or not any(coerce.as_id(data.get(name)) for name in ("runId", "executionId")):
        raise answers.UnreadableAnswer
    return answers.one(RunSnapshot, body)
