"""Skips tests that need something the machine lacks."""

import os

import pytest


def skip_or_fail(reason: str) -> None:
    """Skip the test with `reason`; in CI, where everything is installed, fail instead."""
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
