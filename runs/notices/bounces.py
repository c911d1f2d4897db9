"""Email addresses that don't exist: after three hard bounces in a row, we stop emailing an address until someone asks
us to resume."""

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from runs.audit.record import record
from runs.background.incidents import record_incident
from runs.models import Member, Verb
from runs.models.messages import Message

HARD_BOUNCES = 3  # after this many in a row, an address counts as dead


def record_bounce(member: Member) -> None:
    """Count an email that bounced because the address doesn't exist. Tell admins after the third bounce in a row."""
    Member.objects.filter(pk=member.pk).update(bounces=F("bounces") + 1)
    dead = Member.objects.filter(pk=member.pk, bounces__gte=HARD_BOUNCES, mail_dead_at=None)
    if dead.update(mail_dead_at=timezone.now()):
        record_incident("mail", Message("mail_dead", {"name": member.display_name}))


def record_delivered(member: Member) -> None:
    """Reset the bounce count, because the address works."""
    if member.bounces:
        revive(member)


@transaction.atomic
def resume(member: Member) -> None:
    """Resume sending emails to the member, at someone's request."""
    revive(member)
    record(Verb.PERSON_MAIL_AGAIN, member)


def revive(member: Member) -> None:
    """Treat the member's address as working again, and reset the bounce count."""
    Member.objects.filter(pk=member.pk).update(bounces=0, mail_dead_at=None)
