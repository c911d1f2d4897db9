"""The connection to the mail server: patient at the one point where giving up could double an email.

Django's time-out is 10 s for each answer. That is right for all but the last: once the whole email was handed over, a
server that takes a minute to answer (it scans for viruses) has it, and sending it again would double it. So that answer
may take longer, and whoever sends can tell whether the server may have an email that failed.
"""

import smtplib
from typing import Any

from django.core.mail.backends import smtp

LAST_ANSWER_SECONDS = 90.0  # for the answer after the email itself


class _Patient(smtplib.SMTP):
    """Waits longer for the answer to an email. `is_unclear` tells whether the server may have it without having said
    so.

    Its base is there for its attributes: the classes below say which of the two kinds of connection it is.
    """

    is_unclear = False

    def data(self, msg: Any) -> tuple[int, bytes]:
        sock, usual = self.sock, self.timeout
        if sock is not None:
            sock.settimeout(LAST_ANSWER_SECONDS)
        self.is_unclear = True
        try:
            answer = super().data(msg)
        except smtplib.SMTPResponseException:  # it answered, so it doesn't have the email
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
    """Django's backend for SMTP, with a patient connection."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return PatientEncrypted if self.use_ssl else PatientPlain

    @property
    def is_unclear(self) -> bool:
        """Whether the server may have the last email although it never said so."""
        return bool(getattr(self.connection, "is_unclear", False))
