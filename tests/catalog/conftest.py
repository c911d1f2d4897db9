"""An app that Lamina doesn't list."""

import pytest
from pytest_django import Settings

from tests.catalog.lamina_search import BEYOND, UUID
from tests.support.sandbox_door import SandboxDoor


@pytest.fixture
def beyond(sandbox: SandboxDoor, settings: Settings) -> str:
    """Add an unlisted app to the sandbox, which lists only a few; return its id on Lamina."""
    settings.LAMINA_REQUESTS_PER_MINUTE = 100_000
    sandbox.control("limit", per_minute=None)
    sandbox.control("list", most=8)
    sandbox.control("apps", app=BEYOND, listed=False)
    return UUID
