"""A thousand damaged files of all accepted kinds, each with a known outcome; `make bench` tries ten thousand."""

from pathlib import Path

from tests.support.damaged_files import kinds, look_at_all

COUNT = 1_000
FILM_SHARE = 0.1  # smaller than in the benchmark, since one film takes as long as thirty pictures


def test_damaged_files_end_well(tmp_path: Path) -> None:
    tally = look_at_all(COUNT, tmp_path, FILM_SHARE)

    assert tally.uncaught == []
    assert tally.ends.total() == COUNT
    assert min(tally.kinds[kind] for kind in kinds()) >= 5
    assert tally.ends["kept"] > COUNT / 10  # these got thumbnails, so more than just their headers was read
    assert tally.ends["refused or later"] > COUNT / 10
    assert tally.ends["follows"] == 0, tally.ends  # no process died or ran out of time
