"""Fixtures for the storage tests."""

import sys

import pytest

from runs.storage import picture_client
from tests.storage.pretend import Pretend


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Pretend:
    """Return a function that replaces the picture process with another program; "" restores it."""
    real = picture_client.COMMAND

    def change(program: str) -> None:
        picture_client._idle.end_all()
        monkeypatch.setattr(picture_client, "COMMAND", (sys.executable, "-c", program) if program else real)

    return change
