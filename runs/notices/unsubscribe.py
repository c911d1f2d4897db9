"""The URL in each email's headers that lets mail programs unsubscribe the reader with one click (RFC 8058).

Having the URL is enough to unsubscribe: it is signed, and names the reader and the kinds of notices that the email was
about. It works without a session, and even if the account is closed. It can't be used for anything else.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.core import signing
from django.urls import reverse

from runs.models import GuestContact, Member, NoticeKind
from runs.notices import choices
from runs.web import secret_links

SALT = "runs.notices.unsubscribe"
BETWEEN = "~"  # separator that needs no escaping in a URL
GUEST = "guest"  # stands in for a member's id, which is always longer
KINDS = {*NoticeKind.values, choices.REMINDER}


@dataclass(frozen=True)
class Unsubscription:
    """Who no longer wants emails, and about which kinds of notices. `member` is None if the account no longer exists.

    If `is_guest` is set, a guest wants no more emails at all; `contact` is None if they had already unsubscribed.
    """

    member: Member | None
    kinds: list[str]
    is_guest: bool = False
    contact: GuestContact | None = None


def address_for(member: Member, kinds: Sequence[str]) -> str:
    """Return the full URL that unsubscribes `member` from emails about `kinds`."""
    return secret_links.full_address(reverse("runs:mail-stop", args=[sign(member, kinds)]))


def address_for_guest(contact: GuestContact) -> str:
    """Return the full URL that unsubscribes a link's guest from all emails."""
    signed = _signer().sign(BETWEEN.join([GUEST, contact.public_id]))
    return secret_links.full_address(reverse("runs:mail-stop", args=[signed]))


def sign(member: Member, kinds: Sequence[str]) -> str:
    """Return the last part of the URL."""
    return _signer().sign(BETWEEN.join([member.public_id, *sorted(set(kinds))]))


def read(signed: str) -> Unsubscription | None:
    """Decode the last part of a URL; return None if we didn't sign it."""
    try:
        public_id, *kinds = _signer().unsign(signed).split(BETWEEN)
    except signing.BadSignature:
        return None
    if public_id == GUEST:
        contact = GuestContact.objects.filter(public_id__in=kinds).first()
        return Unsubscription(None, [], is_guest=True, contact=contact)
    valid_kinds = [kind for kind in kinds if kind in KINDS]
    return Unsubscription(Member.objects.filter(public_id=public_id).first(), valid_kinds)


def _signer() -> signing.Signer:
    return signing.Signer(sep=BETWEEN, salt=SALT)
