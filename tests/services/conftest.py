"""Servers on loopback that the file services meet: one that does everything wrong, and one nobody may contact."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.services.hostile import Decoy, HostileServer, hostile_server


@pytest.fixture
def server(settings: Settings) -> Iterator[HostileServer]:
    """Trusted, since loopback could not be reached otherwise."""
    with hostile_server() as running:
        settings.TRUSTED_FILE_ORIGINS = settings.TRUSTED_LINK_ORIGINS = [running.url]
        yield running


@pytest.fixture
def decoy() -> Iterator[Decoy]:
    found = Decoy()
    yield found
    found.close()
