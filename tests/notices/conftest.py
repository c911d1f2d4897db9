"""A mail server on loopback that the portal sends emails to."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.support.mail_servers import MailServer


@pytest.fixture
def mail_server(settings: Settings) -> Iterator[MailServer]:
    with MailServer() as server:
        settings.MAILERS = server.mailers()
        yield server
