"""Links for setting a new password: sent by email, or passed on by an admin if there is no mail server.

A link is signed and contains no secret. It contains the member's id and an expiry time, and its signature covers the
account's state (password, last sign-in). So the link works only once, and stops working as soon as the person signs in
any other way.
"""

import base64
import re
from collections.abc import Iterator
from datetime import timedelta

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from runs.audit.actors import as_member
from runs.audit.record import record
from runs.models import Member, Verb
from runs.team import mail, sessions
from runs.web import secret_links
from runs.web.secret_keys import keyed_hashes

TOKEN = re.compile(r"(?P<member>[0-9a-z]{16})-(?P<until>\d{1,12})-(?P<proof>[\w-]{32})", re.ASCII)
BY_MAIL = timedelta(hours=1)
BY_HAND = timedelta(days=1)


def new_password_address(member: Member, lifetime: timedelta) -> str:
    """Return a link that lets `member` set a new password."""
    until = int((timezone.now() + lifetime).timestamp())
    token = f"{member.public_id}-{until}-{next(_proofs_of(member, until))}"
    return secret_links.full_address(reverse("runs:password-new", args=[token]))


@transaction.atomic
def link_to_hand_over(member: Member) -> str:
    """Return a link that lets `member` set a new password, for an admin to pass on."""
    record(Verb.PERSON_PASSWORD_LINK, member)
    return new_password_address(member, BY_HAND)


def member_of(token: str) -> Member | None:
    """Return the member whose password the link can set; None if the link is forged, expired or already used."""
    parts = TOKEN.fullmatch(token)
    if parts is None or int(parts["until"]) < timezone.now().timestamp():
        return None
    member = Member.objects.filter(public_id=parts["member"], is_active=True).first()
    proofs = _proofs_of(member, int(parts["until"])) if member else iter(())
    return member if any(constant_time_compare(parts["proof"], proof) for proof in proofs) else None


@transaction.atomic
def set_with_link(member: Member, password: str) -> bool:
    """Set the password of `member`, as returned by `member_of`, and end all their sessions.

    Return False if the link has been used or the member has signed in since `member_of` was called. If several people
    use the link at the same time, only one succeeds.
    """
    as_it_was = Member.objects.filter(
        pk=member.pk, is_active=True, password=member.password, last_login=member.last_login
    )
    member.set_password(password)
    if not as_it_was.update(password=member.password):
        member.refresh_from_db()
        return member.is_active and member.check_password(password)  # True if it was a double click
    sessions.end_all(member)
    record(Verb.PERSON_NEW_PASSWORD, member, actor=as_member(member))
    return True


@transaction.atomic
def change(member: Member, password: str) -> None:
    """Set the password of `member`, who has just entered the old one."""
    member.set_password(password)
    member.save(update_fields=["password"])
    record(Verb.PERSON_NEW_PASSWORD, member)


def send_new_password_mail(member_id: int) -> None:
    """Send the email with the link. This runs in the worker, so that response times don't reveal who has an account."""
    member = Member.objects.filter(pk=member_id, is_active=True).first()
    if member is None:
        return
    with mail.as_read_by(member):
        mail.send_to(
            member,
            _("Set a new password for Lamina Portal"),
            _("Someone, hopefully you, asked for a new password. Set it here within an hour:"),
            new_password_address(member, BY_MAIL),
            _("If it wasn't you, ignore this email: your password stays the same."),
        )


def _proofs_of(member: Member, until: int) -> Iterator[str]:
    """Yield 192-bit keyed hashes of the account's state: first with the portal's secret key, then with earlier keys."""
    text = f"{member.pk}\n{until}\n{member.password}\n{member.last_login}\n{member.email}"
    for digest in keyed_hashes("portal.new-password", text):
        yield base64.urlsafe_b64encode(digest[:24]).decode("ascii")
