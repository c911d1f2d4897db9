"""Form fields that carry data from page to page for guests, who have no cookies: who they are, and when they opened the
page.

Each field is signed for one link, so that it can't be used on any other.
"""

import secrets
import unicodedata
from datetime import timedelta

from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from runs.models import Guest, GuestLink
from runs.models.guest import NAME_LENGTH
from runs.sharing import guest_identity
from runs.words.errors import UserFacingError
from runs.words.numbers import number_words
from runs.words.one_line import one_line

EMAIL_LENGTH = 254
IS_EMAIL = EmailValidator(allowlist=[])  # also refuses "localhost", which Django would allow
GUEST_SALT = "runs.guest"
PAGE_SALT = "runs.guest-page"
PAGE_AGE = timedelta(days=7)  # how long after opening a page a guest can still answer from it
JOINERS = "\u200c\u200d"  # invisible characters that Persian and Indic names need
FILLERS = "\u115f\u1160\u2800\u3164\uffa0"  # characters that look blank


class NameRefusedError(UserFacingError):
    """The name can't be shown next to an answer."""


class EmailRefusedError(UserFacingError):
    """We can't send email to this address."""


def clean_name(text: str) -> str:
    """Return a typed name as we show it: on one line, and without characters that change the direction of the text
    around it.

    Raises `NameRefusedError`.
    """
    visible = (sign for sign in text if unicodedata.category(sign) not in ("Cf", "Cs") or sign in JOINERS)
    name = one_line("".join(visible))
    if not any(unicodedata.category(sign)[0] in "LN" and sign not in FILLERS for sign in name):
        raise NameRefusedError(_("Enter your name, so people know who answered."))
    if len(name) > NAME_LENGTH:
        words = ngettext(
            "The name has %(count)s character; the limit is %(limit)s.",
            "The name has %(count)s characters; the limit is %(limit)s.",
            len(name),
        )
        raise NameRefusedError(words % {"count": number_words(len(name)), "limit": number_words(NAME_LENGTH)})
    return name


def clean_email(text: str) -> str:
    """Return a typed email address without surrounding spaces; "" if none was typed. Raises `EmailRefusedError`."""
    email = text.strip()
    try:
        if email:
            IS_EMAIL(email)
    except ValidationError:
        raise EmailRefusedError(_("Check the email address, or leave the field empty.")) from None
    if len(email) > EMAIL_LENGTH or "[" in email:  # an IP address instead of a domain
        raise EmailRefusedError(_("Check the email address, or leave the field empty."))
    return email


def signed(guest: Guest | None) -> str:
    """Return the signed field that says who the guest is; "" for None."""
    return signing.Signer(salt=GUEST_SALT).sign(guest.public_id) if guest is not None else ""


def guest_of(link: GuestLink, field: str) -> Guest | None:
    """Return the guest that a signed field names; None if we didn't create it for a guest of `link`."""
    try:
        return guest_identity.find(link, signing.Signer(salt=GUEST_SALT).unsign(field))
    except signing.BadSignature:
        return None


def opened_now(link: GuestLink) -> str:
    """Return a signed field recording that someone has just opened the page of `link`. It has a random key, which
    stops an answer from being recorded again when its form is sent again."""
    return signing.TimestampSigner(salt=PAGE_SALT).sign(f"{link.public_id}.{secrets.token_urlsafe(12)}")


def page_key_of(link: GuestLink, opened: str) -> str | None:
    """Return the key of a page of `link`; None if it was opened too long ago, or is a page of another link."""
    try:
        link_id, _dot, key = signing.TimestampSigner(salt=PAGE_SALT).unsign(opened, max_age=PAGE_AGE).partition(".")
    except signing.BadSignature:
        return None
    return key if link_id == link.public_id else None
