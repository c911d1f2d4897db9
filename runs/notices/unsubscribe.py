"""The URL in each email's header that lets mail programs unsubscribe from the email's kinds with one click (RFC 8058).

The URL itself proves who may use it: it is signed and names the reader and the kinds. It works without a session, and
even if the account is closed. It can't be used for anything else.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.core import signing
from django.urls import reverse

from runs.models import Member, NoticeKind
from runs.notices import choices
from runs.web import secret_links

SALT = "runs.notices.unsubscribe"
BETWEEN = "~"  # separator that needs no escaping in a URL
KINDS = {*NoticeKind.values, choices.REMINDER}


@dataclass(frozen=True)
class Unsubscription:
    """Whose emails stop, and of which kinds. `member` is None if the account no longer exists."""

    member: Member | None
    kinds: list[str]


def address_for(member: Member, kinds: Sequence[str]) -> str:
    """Return the full URL that stops emails about `kinds` to `member`."""
    return secret_links.full_address(reverse("runs:mail-stop", args=[sign(member, kinds)]))


def sign(member: Member, kinds: Sequence[str]) -> str:
    """Return the last part of the URL."""
    return _signer().sign(BETWEEN.join([member.public_id, *sorted(set(kinds))]))


def read(signed: str) -> Unsubscription | None:
    """Decode the last part of a URL; return None if we didn't sign it."""
    try:
        public_id, *kinds = _signer().unsign(signed).split(BETWEEN)
    except signing.BadSignature:
        return None
    known = [kind for kind in kinds if kind in KINDS]
    return Unsubscription(Member.objects.filter(public_id=public_id).first(), known)


def _signer() -> signing.Signer:
    return signing.Signer(sep=BETWEEN, salt=SALT)
