"""Form fields that carry data from page to page for guests, who have no cookies: the name they typed, whether they gave
an email address, and when they opened the page.

Each field is signed for one link, so that it can't be used on any other.
"""

import unicodedata
from datetime import timedelta

from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from runs.models import GuestLink
from runs.models.guest import NAME_LENGTH
from runs.words.errors import UserFacingError
from runs.words.numbers import number_words

EMAIL_LENGTH = 254
IS_EMAIL = EmailValidator(allowlist=[])  # also refuses "localhost", which Django would allow
NAME_SALT = "runs.guest-name"
PAGE_SALT = "runs.guest-page"
PAGE_AGE = timedelta(days=7)  # how long after opening a page a guest can still answer from it
JOINERS = "\u200c\u200d"  # invisible characters that Persian and Indic names need
FILLERS = "\u115f\u1160\u2800\u3164\uffa0"  # characters that look blank


class NameRefusedError(UserFacingError):
    """The name can't be shown next to an answer."""


class EmailRefusedError(UserFacingError):
    """We can't send email to this address."""


def clean_name(typed: str) -> str:
    """Return a typed name as we show it: on one line, and without characters that change the direction of the text
    around it.

    Raises `NameRefusedError`.
    """
    spaced = "".join(" " if unicodedata.category(sign) in ("Cc", "Zl", "Zp") else sign for sign in typed)
    seen = (sign for sign in spaced if unicodedata.category(sign) not in ("Cf", "Cs") or sign in JOINERS)
    name = " ".join("".join(seen).split())
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


def clean_email(typed: str) -> str:
    """Return a typed email address without surrounding spaces; "" if none was typed. Raises `EmailRefusedError`."""
    email = typed.strip()
    try:
        if email:
            IS_EMAIL(email)
    except ValidationError:
        raise EmailRefusedError(_("Check the email address, or leave the field empty.")) from None
    if len(email) > EMAIL_LENGTH or "[" in email:  # an IP address instead of a domain
        raise EmailRefusedError(_("Check the email address, or leave the field empty."))
    return email


def signed_name(link: GuestLink, name: str, *, gets_email: bool = False) -> str:
    """Return the signed field with the guest's name. The field also says whether they get emails, but never contains
    their address, because it becomes part of URLs."""
    told = [link.public_id, name, *([1] if gets_email else [])]
    return signing.dumps(told, salt=NAME_SALT, compress=True) if name else ""


def name_of(link: GuestLink, signed: str) -> str:
    """Return the name that a guest of `link` typed earlier; "" if we didn't create the field for this link."""
    return _read(link, signed)[0]


def gets_email(link: GuestLink, signed: str) -> bool:
    """Return whether the guest gave an email address together with their name."""
    return _read(link, signed)[1]


def _read(link: GuestLink, signed: str) -> tuple[str, bool]:
    try:
        link_id, name, *rest = signing.loads(signed, salt=NAME_SALT)
    except (signing.BadSignature, ValueError):
        return "", False
    return (str(name), bool(rest)) if link_id == link.public_id else ("", False)


def opened_now(link: GuestLink) -> str:
    """Return a signed field recording that a guest has just opened the page of `link`."""
    return signing.TimestampSigner(salt=PAGE_SALT).sign(link.public_id)


def is_of_open_page(link: GuestLink, opened: str) -> bool:
    """Return whether an answer comes from a page of `link` that was opened recently enough."""
    try:
        return signing.TimestampSigner(salt=PAGE_SALT).unsign(opened, max_age=PAGE_AGE) == link.public_id
    except signing.BadSignature:
        return False
