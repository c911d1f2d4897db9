"""Programs that stand in for the picture process."""

import sys
from collections.abc import Callable, Iterator

import pytest

DIES = "import os, signal, sys; sys.stdin.readline(); os.kill(os.getpid(), signal.SIG{})"
HANGS = "import sys, time; sys.stdin.readline(); time.sleep(600)"
# The picture process itself, except that PNGs end up in the function `odd`
STRIPS_ODDLY = """
import time
from runs.storage import metadata, picture_process

{}
metadata.STRIPPERS["image/png"] = odd
picture_process.main()
"""
RAISES = STRIPS_ODDLY.format("def odd(data, target): raise ZeroDivisionError")
LOOPS = STRIPS_ODDLY.format("picture_process.COPY_SECONDS = 1\ndef odd(data, target):\n    while True: pass")
type Pretend = Callable[[str], None]


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pretend]:
    """Yield a function that replaces the picture process with another program; "" restores it."""
    from runs.storage import picture_client

    real = picture_client.COMMAND

    def change(program: str) -> None:
        picture_client._idle.end_all()
        monkeypatch.setattr(picture_client, "COMMAND", (sys.executable, "-c", program) if program else real)

    yield change
    picture_client._idle.end_all()
