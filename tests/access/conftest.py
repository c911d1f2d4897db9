"""Fixture for the access tests: the world whose URLs they request."""

from collections.abc import Callable

import pytest

from runs.models import Member
from tests.support.access_world import World


@pytest.fixture
def world(make_member: Callable[..., Member]) -> World:
    return World(make_member)
