"""Three hundred damaged files, sent through a whole portal as uploads and as results: no response is a 500, no task
dies, and every good file is saved. This test runs the benchmark."""

import pytest

from tests.bench.__main__ import run_apart

pytestmark = pytest.mark.whole


def test_damaged_files_stop_nothing() -> None:
    rows = run_apart("damaged_http", runs=0)

    measured = [row for row in rows if row.met is not None]
    assert [row.as_line() for row in measured if not row.met] == []
    assert len(measured) == 5
