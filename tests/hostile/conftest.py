"""Fixtures for the hostile tests: the quick portal and a browser."""

from collections.abc import Iterator

import pytest

from runs.models import Member
from tests.hostile.browser import Browser, secrecy
from tests.support.quick_portal import quick_portal
from tests.support.sandbox_door import SandboxDoor


@pytest.fixture
def lamina_door(sandbox: SandboxDoor) -> Iterator[SandboxDoor]:
    """The sandbox's control API. The quick portal uses this sandbox, and a check makes sure that the key stays
    secret."""
    with quick_portal(sandbox), secrecy():
        yield sandbox


@pytest.fixture
def browser(lamina_door: SandboxDoor, alice: Member) -> Browser:
    """Alice's browser."""
    return Browser.of(alice)
