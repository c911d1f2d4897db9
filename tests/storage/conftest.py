"""Fixtures of the tests of files."""

import sys

import pytest

from runs.services.files import pictures
from tests.storage.pretend import Pretend


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Pretend:
    """Replace the picture process with another program; "" restores it."""
    real = pictures.COMMAND

    def change(program: str) -> None:
        pictures._idle.end_all()
        monkeypatch.setattr(pictures, "COMMAND", (sys.executable, "-c", program) if program else real)

    return change
