"""Invites for one person to join the team, by email or as a link that an admin passes on."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from runs.models import Invite, Member
from runs.team import mail
from runs.team.members import RefusedError, lock_admins_and
from runs.web import secret_links
from runs.web.secret_links import Purpose

LIFETIME = timedelta(days=7)
DOUBLE_CLICK = timedelta(seconds=3)
# Translated where they are used.
TAKEN = gettext_noop("An account with this email address already exists. Sign in, or set a new password.")
TOO_LATE = gettext_noop("This invite has just been used or revoked.")


@dataclass(frozen=True)
class OpenInvite:
    """A line in the list. `address` is empty if the portal's secret key has changed since the invite was made."""

    invite: Invite
    address: str
    is_expired: bool


def state_of(invite: Invite) -> str:
    """Return the state: "open", "used", "revoked" or "expired"."""
    if invite.accepted_at is not None:
        return "used"
    if invite.revoked_at is not None:
        return "revoked"
    return "expired" if invite.expires_at <= timezone.now() else "open"


def open_invites() -> list[OpenInvite]:
    """Return invites that are neither used nor revoked, newest first. Expired ones can be sent again."""
    found = Invite.objects.filter(accepted_at=None, revoked_at=None).select_related("invited_by")
    return [OpenInvite(invite, address_of(invite), state_of(invite) == "expired") for invite in found]


def address_of(invite: Invite) -> str:
    """Return the link to pass on, which is always the same."""
    token = secret_links.token_again(Purpose.INVITE, invite.nonce, invite.token_hash)
    return secret_links.full_address(reverse("runs:invite", args=[token])) if token else ""


@transaction.atomic
def invite(by: Member, email: str, name: str, role: str) -> Invite:
    """Invite someone; without `email`, whoever opens the link enters their own.

    Admins who invite at the same time take turns: otherwise, a second invite for the same person would stay open when
    the first is revoked. Without `email`, a double click returns the same invite twice.
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
    """Return the same invite, without an email address, if `by` made one a moment ago."""
    waiting = Invite.objects.filter(invited_by=by, email="", name=name, role=role, accepted_at=None, revoked_at=None)
    return waiting.filter(created_at__range=(now - DOUBLE_CLICK, now)).first()


def _refuse_known(email: str) -> None:
    member = Member.objects.filter(email__iexact=email).first()
    if member is not None and member.is_active:
        raise RefusedError(_("%(name)s (%(email)s) is already a member.") % _who(member))
    if member is not None:
        raise RefusedError(_("%(name)s (%(email)s) was deactivated. Reactivate them instead.") % _who(member))
    waiting = Invite.objects.filter(email=email, accepted_at=None, revoked_at=None)
    if waiting.exists():
        told = _("%(email)s already has an invite. Send it again below, or revoke it first.")
        raise RefusedError(told % {"email": email})


def _who(member: Member) -> dict[str, str]:
    return {"name": member.display_name, "email": member.email}


def renew(invite: Invite) -> None:
    """Extend the same link to seven days from now."""
    invite.expires_at = timezone.now() + LIFETIME
    invite.save(update_fields=["expires_at"])


def send(invite: Invite) -> bool:
    """Email the link in the inviting admin's language; return False if that failed. The link works either way."""
    address = address_of(invite)
    if not invite.email or not address:
        return False
    by = invite.invited_by.display_name
    return mail.send(
        invite.email,
        _("%(name)s invited you to Lamina Portal") % {"name": _one_line(by)},
        _("Hello %(name)s,") % {"name": invite.name} if invite.name else _("Hello,"),
        _("%(name)s has invited you to Lamina Portal. Choose a password here:") % {"name": by},
        address,
        _("The link works once, until %(until)s. It is only for you, so don't pass it on.")
        % {"until": mail.zoned_words(invite.expires_at)},
    )


def revoke(invite: Invite) -> bool:
    """Revoke the invite; return False if it was already used or revoked."""
    waiting = Invite.objects.filter(pk=invite.pk, accepted_at=None, revoked_at=None)
    return bool(waiting.update(revoked_at=timezone.now()))


def accept(invite: Invite, *, email: str, name: str, password: str) -> Member:
    """Create the member; if two people accept at once, only one gets in. `email` counts only if the invite has none."""
    now = timezone.now()
    address = invite.email or Member.objects.normalize_email(email)
    try:
        with transaction.atomic():
            waiting = Invite.objects.filter(pk=invite.pk, accepted_at=None, revoked_at=None, expires_at__gt=now)
            if not waiting.update(accepted_at=now):
                raise RefusedError(_(TOO_LATE))
            if Member.objects.filter(email__iexact=address).exists():
                raise RefusedError(_(TAKEN))
            member = Member.objects.create_user(address, password, name=name.strip(), role=invite.role)
            Invite.objects.filter(pk=invite.pk).update(accepted_by=member)
    except IntegrityError:
        raise RefusedError(_(TAKEN)) from None
    return member


def _one_line(text: str) -> str:
    """Return `text` as one short line for a subject."""
    return " ".join(text.split())[:60]
