"""The benchmarks compare their figures with the stored ones, and show both side by side."""

from pathlib import Path

import pytest

from tests.bench import kept, page
from tests.bench.__main__ import verdict_of
from tests.bench.kept import compared
from tests.bench.report import NO_ERROR, Row

FIGURES = {"queries: Home": 12, "bytes: Home": 10_000}


@pytest.mark.parametrize(
    ("what", "value", "unit", "is_met"),
    [
        ("queries: Home", 12, "", True),
        ("queries: Home", 13, "", False),
        ("queries: Home", 11, "", False),
        ("bytes: Home", 10_200, " B", True),
        ("bytes: Home", 10_201, " B", False),
        ("queries: a new page", 3, "", False),
    ],
)
def test_a_figure_that_differs_from_the_kept_one_is_told(what: str, value: int, unit: str, *, is_met: bool) -> None:
    assert compared(what, value, FIGURES, unit).met is is_met


def test_a_worse_figure_fails_until_it_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    kept.keep([Row("queries: Home", "12", value=12), Row("time: Home", "20 ms")], path)
    assert kept.load(path) == {"queries: Home": 12}
    worse = compared("queries: Home", 13, kept.load(path))
    assert verdict_of([bool(worse.met)]) == "Not every target is met."
    kept.keep([worse], path)
    assert compared("queries: Home", 13, kept.load(path)).met


def test_the_page_names_the_figure_before_and_keeps_other_parts(tmp_path: Path) -> None:
    path = tmp_path / "benchmarks.md"
    page.write("review", [Row("review: latest", "20 ms", "<= 100 ms", True)], path)
    page.write("first_view", [Row("first view: pressed", "9 ms"), Row("first view: a|b", "1")], path)
    page.write("review", [Row("review: latest", "120 ms", "<= 100 ms", False)], path)
    text = path.read_text()
    assert "| latest | 120 ms | &lt;= 100 ms | **no** | 20 ms |" in text
    assert "| pressed | 9 ms |  |  |  |" in text
    assert text.count("## ") == 2


def test_the_page_tells_nothing_of_the_machine_but_its_size(tmp_path: Path) -> None:
    path = tmp_path / "benchmarks.md"
    page.write("review", [Row("review: stopped", f"FileNotFoundError: {tmp_path}", NO_ERROR, False)], path)
    assert str(tmp_path) not in path.read_text()
    assert "cores" in path.read_text()
