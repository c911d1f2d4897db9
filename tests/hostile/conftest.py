"""Fixtures of this package: the hurried portal, its browsers, small media."""

from collections.abc import Iterator

import pytest

from runs.models import Member
from tests.conftest import SandboxDoor
from tests.hostile.browser import Browser, secrecy
from tests.hostile.quick import quick_portal


@pytest.fixture
def lamina_door(sandbox: SandboxDoor) -> Iterator[SandboxDoor]:
    """The sandbox's control door, with the hurried portal in front of it and an eye on the key."""
    with quick_portal(sandbox), secrecy():
        yield sandbox


@pytest.fixture
def browser(lamina_door: SandboxDoor, alice: Member) -> Browser:
    """Alice's browser."""
    return Browser.of(alice)
