"""A mail server on loopback that can be as difficult as real ones: it can defer, refuse, stall and hang up."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Self

from aiosmtpd.controller import Controller

from tests.support.processes import free_port

TAKEN = "250 OK"
DROP = "drop"  # closes the connection without responding
DROP_TAKEN = "drop taken"  # accepts the email, but closes the connection without saying so


def stall(seconds: float) -> str:
    """Return a response that accepts the email only after `seconds`."""
    return f"stall {seconds}"


class MailServer(AbstractContextManager["MailServer"]):
    """Stores what it accepts. `at_rcpt` and `at_data` say how it responds; by default, it accepts everything."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.offered = 0  # number of emails handed over, whether accepted or not
        self.at_rcpt: Callable[[str], str] = lambda _address: TAKEN
        self.at_data: Callable[[EmailMessage], str] = lambda _mail: TAKEN
        self.port = free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    @property
    def ids(self) -> list[str]:
        return [str(mail["Message-ID"]) for mail in self.mails]

    def mailers(self, timeout: float = 10) -> dict[str, Any]:
        """Return a value for the MAILERS setting that makes the portal send its emails here."""
        options = {"host": "127.0.0.1", "port": self.port, "timeout": timeout}
        return {"default": {"BACKEND": "runs.team.smtp.EmailBackend", "OPTIONS": options}}

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        answer = self.at_rcpt(address)
        if answer == TAKEN:
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:
        mail = message_from_bytes(envelope.content, policy=policy.default)
        self.offered += 1
        answer = self.at_data(mail)
        if answer.startswith("stall"):
            await asyncio.sleep(float(answer.split()[1]))
            answer = TAKEN
        if answer in (TAKEN, DROP_TAKEN):
            self.mails.append(mail)
        if answer in (DROP, DROP_TAKEN):
            server.transport.abort()
        return answer
