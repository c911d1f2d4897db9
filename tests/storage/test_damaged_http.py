"""Three hundred damaged files, as uploads and as results, through a whole portal: no answer is a 500, no task dies,
every good file is saved. Also in the bench."""

import pytest

from tests.bench.__main__ import run_apart

pytestmark = pytest.mark.whole


def test_damaged_files_stop_nothing() -> None:
    rows = run_apart("damaged_http", runs=0)

    bars = [row for row in rows if row.held is not None]
    assert [row.as_line() for row in bars if not row.held] == []
    assert len(bars) == 5
