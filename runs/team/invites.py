"""Invites for one person to join the team, by email or as a link that an admin passes on."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from runs.audit.actors import as_member
from runs.audit.record import record
from runs.models import Invite, Member, Verb
from runs.team.members import RefusedError, lock_admins_and
from runs.web import secret_links
from runs.web.secret_links import Purpose

LIFETIME = timedelta(days=7)
DOUBLE_CLICK = timedelta(seconds=3)
# These are translated where they are used.
ADDRESS_IN_USE = gettext_noop("An account with this email address already exists. Sign in, or set a new password.")
TOO_LATE = gettext_noop("This invite has just been used or revoked.")


def state_of(invite: Invite) -> str:
    """Return the state of `invite`: "open", "used", "revoked" or "expired"."""
    if invite.accepted_at is not None:
        return "used"
    if invite.revoked_at is not None:
        return "revoked"
    return "expired" if invite.is_expired else "open"


def open_invites() -> QuerySet[Invite]:
    """Return the invites that haven't been used or revoked. Expired ones are included, because they can be sent
    again."""
    return Invite.objects.filter(accepted_at=None, revoked_at=None).select_related("invited_by")


def address_of(invite: Invite) -> str:
    """Return the invite's URL, which never changes; "" if we no longer have the secret key it was created with."""
    token = secret_links.token_again(Purpose.INVITE, invite.nonce, invite.token_hash)
    return secret_links.full_address(reverse("runs:invite", args=[token])) if token else ""


@transaction.atomic
def invite(by: Member, email: str, name: str, role: str) -> Invite:
    """Invite someone. If `email` is empty, whoever opens the link is asked for their address. Raises `RefusedError`.

    If two admins invite people at the same time, one waits for the other; otherwise, they could both invite the same
    person, and revoking one of the two invites would leave the other open. If `email` is empty, a double click returns
    the same invite twice.
    """
    lock_admins_and(by)
    email, name, now = Member.objects.normalize_email(email), name.strip(), timezone.now()
    if email:
        _refuse_known(email)
    elif (first := _recent_duplicate(by, name, role, now)) is not None:
        return first
    link = secret_links.new_link(Purpose.INVITE)
    row = Invite.objects.create(
        nonce=link.nonce,
        token_hash=link.token_hash,
        email=email,
        name=name,
        role=role,
        invited_by=by,
        created_at=now,
        expires_at=now + LIFETIME,
    )
    record(Verb.PERSON_INVITED, row, changes={"role": ("", role)})
    return row


def _recent_duplicate(by: Member, name: str, role: str, now: datetime) -> Invite | None:
    """Return the invite that `by` created with the same details a moment ago, if any. Only considers invites without an
    email address."""
    waiting = Invite.objects.filter(invited_by=by, email="", name=name, role=role, accepted_at=None, revoked_at=None)
    return waiting.filter(created_at__range=(now - DOUBLE_CLICK, now)).first()


def _refuse_known(email: str) -> None:
    member = Member.objects.filter(email__iexact=email).first()
    if member is not None and member.is_active:
        raise RefusedError(_("%(name)s (%(email)s) is already a member.") % _who(member))
    if member is not None:
        sentence = _("%(name)s (%(email)s) is a deactivated member. Reactivate them instead of inviting them again.")
        raise RefusedError(sentence % _who(member))
    waiting = Invite.objects.filter(email=email, accepted_at=None, revoked_at=None)
    if waiting.exists():
        sentence = _("%(email)s already has an invite. Send it again below, or revoke it first.")
        raise RefusedError(sentence % {"email": email})


def _who(member: Member) -> dict[str, str]:
    return {"name": member.display_name, "email": member.email}


@transaction.atomic
def renew(invite: Invite) -> None:
    """Make the invite valid for another seven days from now; its link stays the same."""
    invite.expires_at = timezone.now() + LIFETIME
    invite.save(update_fields=["expires_at"])
    record(Verb.PERSON_INVITED_AGAIN, invite)


@transaction.atomic
def revoke(invite: Invite) -> bool:
    """Revoke the invite; return False if it was already used or revoked."""
    waiting = Invite.objects.filter(pk=invite.pk, accepted_at=None, revoked_at=None)
    is_revoked = bool(waiting.update(revoked_at=timezone.now()))
    if is_revoked:
        record(Verb.PERSON_UNINVITED, invite)
    return is_revoked


def accept(invite: Invite, *, email: str, name: str, password: str) -> Member:
    """Create the member. If two people accept the invite at the same time, only one gets in. `email` is used only if
    the invite has none. Raises `RefusedError`."""
    now = timezone.now()
    address = invite.email or Member.objects.normalize_email(email)
    try:
        with transaction.atomic():
            waiting = Invite.objects.filter(pk=invite.pk, accepted_at=None, revoked_at=None, expires_at__gt=now)
            if not waiting.update(accepted_at=now):
                raise RefusedError(_(TOO_LATE))
            if Member.objects.filter(email__iexact=address).exists():
                raise RefusedError(_(ADDRESS_IN_USE))
            member = Member.objects.create_user(address, password, name=name.strip(), role=invite.role)
            Invite.objects.filter(pk=invite.pk).update(accepted_by=member)
            record(Verb.PERSON_JOINED, member, changes={"role": ("", member.role)}, actor=as_member(member))
    except IntegrityError:
        raise RefusedError(_(ADDRESS_IN_USE)) from None
    return member
