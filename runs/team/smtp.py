"""The connection to the mail server, which waits longer at the one point where giving up could deliver an email twice.

Django's timeout is 10 s for each response. That is enough for all but the last one: once the whole email has been sent,
a server that already has it may still take a minute to respond, for example because it scans for viruses. Sending the
email again would then deliver it twice. So we wait longer for the last response. If it never comes, callers can tell
that the server may have the email after all.
"""

import smtplib
from typing import Any

from django.core.mail.backends import smtp

LAST_ANSWER_SECONDS = 90.0  # how long to wait for a response once the whole email has been sent


class _Patient(smtplib.SMTP):
    """Waits longer for the response to an email. `is_unclear` is True if the server may have received the email but
    hasn't confirmed it.

    The base class only provides the attributes; the classes below choose the kind of connection.
    """

    is_unclear = False

    def data(self, msg: Any) -> tuple[int, bytes]:
        sock, usual = self.sock, self.timeout
        if sock is not None:
            sock.settimeout(LAST_ANSWER_SECONDS)
        self.is_unclear = True
        try:
            answer = super().data(msg)
        except smtplib.SMTPResponseException:  # the server responded with an error, so it hasn't accepted the email
            self.is_unclear = False
            raise
        self.is_unclear = False
        if sock is not None:
            sock.settimeout(usual)
        return answer


class PatientPlain(_Patient):
    """A connection that may be encrypted later (STARTTLS)."""


class PatientEncrypted(_Patient, smtplib.SMTP_SSL):
    """A connection that is encrypted from the start."""


class EmailBackend(smtp.EmailBackend):
    """Django's SMTP backend, with a connection that waits longer."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return PatientEncrypted if self.use_ssl else PatientPlain

    @property
    def is_unclear(self) -> bool:
        """Whether the server may have received the last email without confirming it."""
        return bool(getattr(self.connection, "is_unclear", False))
