"""Ten times as large a file takes the strippers about ten times as long, whatever is in it. `make bench` tries larger
ones."""

import shutil
from pathlib import Path

import pytest

from tests.support.requirements import skip_or_fail
from tests.support.slow_files import MAKERS, seconds_for

SIZE = 60_000
NOISE_SECONDS = 0.02  # other processes, and measuring, take some time as well


@pytest.mark.parametrize("name", MAKERS)
def test_time_grows_with_the_size_at_most(name: str, tmp_path: Path) -> None:
    if not shutil.which("ffmpeg"):
        skip_or_fail("ffmpeg is not installed")
    small = seconds_for(name, SIZE, tmp_path)
    assert seconds_for(name, 10 * SIZE, tmp_path) < 2 * 10 * small + NOISE_SECONDS
