"""Short plain-text emails from the portal. Pages still work when the mail server is down.

Callers pass whole paragraphs. If the recipient is a member, callers translate the paragraphs within
`as_read_by(member)`.
"""

import logging
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from runs.models import Member
from runs.words.time_zones import zone_called

logger = logging.getLogger("runs.mail")

NO_SERVER = ("console", "dummy")


def is_set_up() -> bool:
    """Return whether emails are sent or saved in a folder, rather than just printed in the terminal."""
    backend: str = settings.MAILERS["default"]["BACKEND"]
    return backend.rsplit(".", 2)[-2] not in NO_SERVER


def send(to: str, subject: str, *paragraphs: str) -> bool:
    """Send one email in the active language; return False if it couldn't be sent. Never raises, and never logs the
    content."""
    if not is_set_up():
        return False
    headers = {"Content-Language": translation.get_language() or settings.LANGUAGE_CODE}
    text = "\n\n".join(paragraphs) + "\n"
    message = EmailMessage(subject, text, settings.DEFAULT_FROM_EMAIL, [to], headers=headers)
    try:
        return bool(message.send())
    except (OSError, smtplib.SMTPException, ValueError) as error:
        logger.warning("mail not sent: %s", type(error).__name__)
        return False


def send_to(member: Member, subject: str, *paragraphs: str) -> None:
    """Send an email that greets `member` by name, within `as_read_by(member)`."""
    send(member.email, subject, _("Hello %(name)s,") % {"name": member.display_name}, *paragraphs)


@contextmanager
def as_read_by(member: Member) -> Iterator[None]:
    """Within the block, use the language and time zone that `member` gets emails in."""
    with translation.override(member.mail_language), timezone.override(zone_called(member.mail_time_zone)):
        yield
