"""Links with which somebody sets a new password: by mail, or handed over by an admin where there is no mail server.

The link is signed and holds no secret of its own: it says whose it is, until when, and how the account looked when it
was made (password, last sign-in). So it works once, and it is dead as soon as the person signs in another way.
"""

from datetime import timedelta
from typing import Any

from django.core import signing
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from runs.models import Member
from runs.services import mailing, secret_links

SALT = "portal.password-reset"
BY_MAIL = timedelta(hours=1)
BY_HAND = timedelta(days=1)


def new_password_address(member: Member, lifetime: timedelta) -> str:
    """The link for MEMBER."""
    until = int((timezone.now() + lifetime).timestamp())
    token = signing.dumps({"member": member.pk, "until": until, "state": _state_of(member)}, salt=SALT)
    return secret_links.full_address(reverse("runs:password-new", args=[token]))


def member_of(token: str) -> Member | None:
    """Whose password the link sets; None when it is not ours, too old or used."""
    try:
        kept: dict[str, Any] = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        return None
    member = Member.objects.filter(pk=kept["member"], is_active=True).first()
    if member is None or kept["until"] < timezone.now().timestamp():
        return None
    return member if constant_time_compare(kept["state"], _state_of(member)) else None


def send_new_password_mail(member_id: int) -> None:
    """In the worker, so that the page answers as quickly for an address nobody has."""
    member = Member.objects.filter(pk=member_id, is_active=True).first()
    if member is not None:
        mailing.send(
            member.email,
            "Set a new password for Lamina Portal",
            f"Hello {member.display_name},",
            "somebody, hopefully you, asked for a new password. Set it here within an hour:",
            new_password_address(member, BY_MAIL),
            "If it was not you, do nothing: your password stays as it is.",
        )


def _state_of(member: Member) -> str:
    text = f"{member.pk}\n{member.password}\n{member.last_login}\n{member.email}"
    return salted_hmac(SALT, text, algorithm="sha256").hexdigest()[:32]
