"""Hands emails to the mail server and reports what happened to each one, in the server's own words."""

import re
import smtplib
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Any

from django.core.mail import EmailMessage, mailers

PERMANENT = range(500, 600)
NO_ADDRESS_CODES = (550, 551, 553)
ENHANCED = re.compile(r"\b5\.\d{1,3}\.\d{1,3}\b")  # codes of RFC 3463
# Codes that mean that the recipient's address or mailbox doesn't work
NO_ADDRESS = ("5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1")
WORDS_LENGTH = 300  # how many characters of the server's response we keep


class MailResult(StrEnum):
    """What happened to an email that we tried to send."""

    SENT = auto()
    LATER = auto()  # the server may accept it later
    REFUSED = auto()  # the server will never accept it
    BOUNCED = auto()  # the address doesn't exist
    AWAY = auto()  # the server can't be reached, so trying other emails now is pointless


@dataclass(frozen=True)
class MailOutcome:
    """What happened to an email, and the server's response. If `is_unclear` is set, the server may have accepted the
    email after all."""

    result: MailResult
    words: str = ""
    is_unclear: bool = False

    @property
    def is_sent(self) -> bool:
        return self.result == MailResult.SENT


def hand_over(message: EmailMessage) -> MailOutcome:
    """Send one email. Never raises errors caused by the mail server or the network."""
    backend: Any = None
    try:
        backend = mailers["default"]
        backend.open()
    except (OSError, smtplib.SMTPException) as error:
        return MailOutcome(MailResult.AWAY, _words(error))
    try:
        backend.send_messages([message])
    except (OSError, smtplib.SMTPException, ValueError) as error:
        return MailOutcome(_result(error), _words(error), bool(getattr(backend, "is_unclear", False)))
    finally:
        with suppress(OSError, smtplib.SMTPException):
            backend.close()
    return MailOutcome(MailResult.SENT)


def _result(error: Exception) -> MailResult:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = next(iter(error.recipients.values()))[0]
        if code not in PERMANENT:
            return MailResult.LATER
        return MailResult.BOUNCED if _is_no_address(code, _words(error)) else MailResult.REFUSED
    if isinstance(error, smtplib.SMTPDataError) and error.smtp_code in PERMANENT:
        return MailResult.REFUSED
    # An email that can't be built, such as one to an invalid address, will never be accepted.
    return MailResult.REFUSED if isinstance(error, ValueError) else MailResult.LATER


def _is_no_address(code: int, words: str) -> bool:
    """Return whether the server says that the address doesn't exist. A server that refuses us ("Relaying denied")
    doesn't count; otherwise, one wrong setting would turn off every address."""
    enhanced = ENHANCED.search(words)
    return enhanced[0] in NO_ADDRESS if enhanced else code in NO_ADDRESS_CODES and "relay" not in words.lower()


def _words(error: Exception) -> str:
    """Return the server's response, such as "550 No such user"; if there is none, return the error's message or class
    name."""
    reply: bytes | str
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, reply = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, reply = error.smtp_code, error.smtp_error
    else:
        return (str(error) or type(error).__name__)[:WORDS_LENGTH]
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else str(reply)
    return " ".join(f"{code} {text}".split())[:WORDS_LENGTH]
