"""Email addresses that guests gave us so that we can tell them about replies and new versions. They are deleted some
time after the link has ended.

No page, file or audit record entry ever shows an address.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _

from runs.models import Guest, GuestContact, GuestLink
from runs.sharing import guest_fields
from runs.sharing.guest_fields import EmailRefusedError
from runs.team import mail

MOST_PER_LINK = 50  # so that nobody can use the portal to email a whole list of people
RETENTION = timedelta(days=30)  # how long addresses outlive their link, which may still be restored or extended


def clean_email(link: GuestLink, text: str) -> str:
    """Return the typed address; "" if there is none, or if emails aren't set up. Raises `EmailRefusedError`."""
    email = guest_fields.clean_email(text) if mail.is_set_up() else ""
    if email and GuestContact.objects.filter(guest__link=link).count() >= MOST_PER_LINK:
        raise EmailRefusedError(_("Too many guests already get emails about this page. Leave the email field empty."))
    return email


def remember(guest: Guest, email: str) -> None:
    """Store the guest's address."""
    values = {"email": email, "language": translation.get_language() or ""}
    GuestContact.objects.get_or_create(guest=guest, defaults=values)


def gets_email(guest: Guest) -> bool:
    """Return whether the guest gets emails."""
    return mail.is_set_up() and GuestContact.objects.filter(guest=guest).exists()


@transaction.atomic
def forget(contact: GuestContact) -> None:
    """Delete the address, along with all notices and emails meant for it."""
    # Lock it first, so that a process that is adding a notice or an email finishes before we look for rows to delete.
    for row in GuestContact.objects.select_for_update().filter(pk=contact.pk):
        row.delete()


def tidy(now: datetime) -> None:
    """Delete the addresses of guests whose links ended over 30 days ago."""
    before = now - RETENTION
    GuestContact.objects.filter(Q(guest__link__expires_at__lt=before) | Q(guest__link__revoked_at__lt=before)).delete()
