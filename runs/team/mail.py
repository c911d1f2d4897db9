"""Plain, short emails from the portal's own address. A mail server that is down never breaks a page.

Callers pass whole paragraphs and activate the reader's language: `translation.override(member.mail_language)`.
"""

import logging
import smtplib
from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone, translation

from runs.words.moments import day_time_words

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


def zoned_words(at: datetime) -> str:
    """ "5 March 2026, 14:07 (CET)", with the time zone, since the reader may be in another one."""
    return f"{day_time_words(at)} ({timezone.localtime(at):%Z})"
