"""Each test has its own sandbox, so that restarts, limits and clocks don't affect other tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runs.sandbox.server import start_sandbox
from tests.sandbox.box import Box


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    sandbox = start_sandbox(data_dir=tmp_path / "lamina", seconds=0.3, per_minute=None, has_test_cards=True)
    yield Box(sandbox)
    sandbox.stop()
