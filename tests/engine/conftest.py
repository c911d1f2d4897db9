"""The app that most of these tests run, and the sandbox behind its door."""

import pytest

from runs.models import App
from runs.sandbox.server import Sandbox
from runs.sandbox.state import World
from tests.support.cartoonify import known_app
from tests.support.sandbox_door import SandboxDoor


@pytest.fixture
def app(sandbox: SandboxDoor) -> App:
    """Cartoonify, with its form read from the sandbox."""
    return known_app()


@pytest.fixture
def _runs_go_on(sandbox: SandboxDoor) -> None:
    """No run ends at Lamina by itself, however long a test takes; outcomes set by tests have no effect."""
    sandbox.control("script", appId=None, times=None, outcome="never")


@pytest.fixture
def world(_sandbox_server: Sandbox, sandbox: SandboxDoor) -> World:
    """The sandbox's own state, for what its control API does not offer: clocks that are off, old runs."""
    return _sandbox_server.world
