"""Invites: a place in the team for one person, by mail or by a link that an admin hands over."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from runs.models import Invite, Member
from runs.team import mail
from runs.team.members import RefusedError, lock_admins_and
from runs.web import secret_links
from runs.web.secret_links import Purpose

LIFETIME = timedelta(days=7)
DOUBLE_CLICK = timedelta(seconds=3)
TAKEN = "There is an account with this mail address already. Sign in with it, or ask for a new password."
TOO_LATE = "This invite has just been used or taken back."


@dataclass(frozen=True)
class OpenInvite:
    """A line of the list: ADDRESS is empty when the portal's secret key was changed since."""

    invite: Invite
    address: str
    is_expired: bool


def state_of(invite: Invite) -> str:
    """ "open", "used", "revoked" or "expired"."""
    if invite.accepted_at is not None:
        return "used"
    if invite.revoked_at is not None:
        return "revoked"
    return "expired" if invite.expires_at <= timezone.now() else "open"


def open_invites() -> list[OpenInvite]:
    """What has been neither used nor taken back, newest first; expired ones too, since they can be sent again."""
    found = Invite.objects.filter(accepted_at=None, revoked_at=None).select_related("invited_by")
    return [OpenInvite(invite, address_of(invite), state_of(invite) == "expired") for invite in found]


def address_of(invite: Invite) -> str:
    """The link to hand over, the same every time."""
    token = secret_links.token_again(Purpose.INVITE, invite.nonce, invite.token_hash)
    return secret_links.full_address(reverse("runs:invite", args=[token])) if token else ""


@transaction.atomic
def invite(by: Member, email: str, name: str, role: str) -> Invite:
    """Make a place for somebody; without EMAIL whoever has the link names their own.

    One after another, whoever of the admins presses: a second invite for the same person would stay open when the first
    is taken back. Without EMAIL, the second click of a double one gets what the first has made.
    """
    lock_admins_and(by)
    email, name, now = Member.objects.normalize_email(email), name.strip(), timezone.now()
    if email:
        _refuse_known(email)
    elif (first := _just_made(by, name, role, now)) is not None:
        return first
    link = secret_links.new_link(Purpose.INVITE)
    return Invite.objects.create(
        nonce=link.nonce,
        token_hash=link.token_hash,
        email=email,
        name=name,
        role=role,
        invited_by=by,
        created_at=now,
        expires_at=now + LIFETIME,
    )


def _just_made(by: Member, name: str, role: str, now: datetime) -> Invite | None:
    """An invite without a mail address that BY has made a moment ago, with the very same click."""
    waiting = Invite.objects.filter(invited_by=by, email="", name=name, role=role, accepted_at=None, revoked_at=None)
    return waiting.filter(created_at__range=(now - DOUBLE_CLICK, now)).first()


def _refuse_known(email: str) -> None:
    member = Member.objects.filter(email__iexact=email).first()
    if member is not None and member.is_active:
        raise RefusedError(f"{member.display_name} ({member.email}) is a member already.")
    if member is not None:
        raise RefusedError(
            f"{member.display_name} ({member.email}) was deactivated. Reactivate them in the list instead."
        )
    waiting = Invite.objects.filter(email=email, accepted_at=None, revoked_at=None)
    if waiting.exists():
        raise RefusedError(f"There is an invite for {email} already. Send it again below, or revoke it first.")


def renew(invite: Invite) -> None:
    """Another seven days from now, with the same link."""
    invite.expires_at = timezone.now() + LIFETIME
    invite.save(update_fields=["expires_at"])


def send(invite: Invite) -> bool:
    """Mail the link to whom it is for; False when that could not be done (the link can be handed over)."""
    address = address_of(invite)
    if not invite.email or not address:
        return False
    until = timezone.localtime(invite.expires_at)
    return mail.send(
        invite.email,
        f"{_plain(invite.invited_by.display_name)} invites you to Lamina Portal",
        f"Hello {invite.name or 'there'},",
        f"{invite.invited_by.display_name} has made a place for you in Lamina Portal. Choose a password here:",
        address,
        f"The link works once, until {until:%d %B %Y, %H:%M}. It is for you alone: do not pass it on.",
    )


def revoke(invite: Invite) -> bool:
    """Take the place back; False when it is taken or gone already."""
    waiting = Invite.objects.filter(pk=invite.pk, accepted_at=None, revoked_at=None)
    return bool(waiting.update(revoked_at=timezone.now()))


def accept(invite: Invite, *, email: str, name: str, password: str) -> Member:
    """Make the member; of two who press at once one gets in. EMAIL counts only where the invite names none."""
    now = timezone.now()
    address = invite.email or Member.objects.normalize_email(email)
    try:
        with transaction.atomic():
            waiting = Invite.objects.filter(pk=invite.pk, accepted_at=None, revoked_at=None, expires_at__gt=now)
            if not waiting.update(accepted_at=now):
                raise RefusedError(TOO_LATE)
            if Member.objects.filter(email__iexact=address).exists():
                raise RefusedError(TAKEN)
            member = Member.objects.create_user(address, password, name=name.strip(), role=invite.role)
            Invite.objects.filter(pk=invite.pk).update(accepted_by=member)
    except IntegrityError:
        raise RefusedError(TAKEN) from None
    return member


def _plain(text: str) -> str:
    """For a subject: one line."""
    return " ".join(text.split())[:60]
