"""The app that most of these tests run, and access to the sandbox."""

import pytest
from pytest_django import Settings

from runs.models import App
from runs.sandbox.server import Sandbox
from runs.sandbox.state import World
from tests.support.cartoonify import known_app
from tests.support.sandbox_door import SandboxDoor


@pytest.fixture
def app(sandbox: SandboxDoor) -> App:
    """Return Cartoonify, with its form read from the sandbox."""
    return known_app()


@pytest.fixture
def _runs_go_on(sandbox: SandboxDoor) -> None:
    """Keep all runs in progress on Lamina, however long a test takes and whatever outcome it sets."""
    sandbox.control("script", appId=None, times=None, outcome="never")


@pytest.fixture
def world(_sandbox_server: Sandbox, sandbox: SandboxDoor) -> World:
    """Return the sandbox's internal state, for things its control API can't do: wrong clocks and old runs."""
    return _sandbox_server.world


@pytest.fixture
def _quick_streams(settings: Settings, sandbox: SandboxDoor) -> None:
    """Let the poller follow runs live, and make the sandbox check for updates every 0.05 s."""
    settings.LAMINA_STREAMS = 40
    sandbox.control("follow", look_seconds=0.05)
