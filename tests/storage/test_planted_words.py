"""Of a thousand files with a planted word in every field, damaged around the words, guests' copies have none, or only
where the damage made it part of the pixels or samples. `make bench` tries twenty thousand."""

import shutil
from pathlib import Path

import pytest

from tests.support.planted_words import strip_all
from tests.support.requirements import skip_or_fail

pytestmark = pytest.mark.filterwarnings("ignore:Image appears to be a malformed MPO file")
COUNT = 1_000


def test_no_planted_word_is_left_in_damaged_files(tmp_path: Path) -> None:
    if not shutil.which("ffmpeg"):
        skip_or_fail("ffmpeg is not installed")
    tally = strip_all(range(COUNT), tmp_path)

    assert tally.holes == []
    assert tally.ends.total() == COUNT
    assert tally.ends["without words"] > COUNT / 2
    assert tally.ends["in pixels or samples"] + tally.ends["broken"] < COUNT / 100
