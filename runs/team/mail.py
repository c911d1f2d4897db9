"""Mail to people: plain, short, from the portal's own address; a server that is away never breaks a page."""

import logging
import smtplib

from django.conf import settings
from django.core.mail import EmailMessage

logger = logging.getLogger("runs.mail")

NO_SERVER = ("console", "dummy")


def is_set_up() -> bool:
    """True when mail leaves this machine (or lands in a folder), and not only in the terminal."""
    backend: str = settings.MAILERS["default"]["BACKEND"]
    return backend.rsplit(".", 2)[-2] not in NO_SERVER


def send(to: str, subject: str, *paragraphs: str) -> bool:
    """Send one mail; False when it could not be handed over. Never raises, never logs what is in it."""
    if not is_set_up():
        return False
    message = EmailMessage(subject, "\n\n".join(paragraphs) + "\n", settings.DEFAULT_FROM_EMAIL, [to])
    try:
        return bool(message.send())
    except (OSError, smtplib.SMTPException, ValueError) as error:
        logger.warning("mail not sent: %s", type(error).__name__)
        return False
