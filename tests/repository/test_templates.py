"""Templates are readable: lines are short, and components start with a comment on what they need."""

from pathlib import Path

import pytest

from tests.support.processes import ROOT

TEMPLATES = sorted(path.relative_to(ROOT) for path in (ROOT / "templates").rglob("*.html"))
COMPONENTS = [path for path in TEMPLATES if path.name.startswith("_")]


def test_no_line_is_longer_than_120_columns() -> None:
    long = [
        f"{path}:{number}"
        for path in TEMPLATES
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1)
        if len(line) > 120
    ]
    assert len(TEMPLATES) > 100
    assert long == []


@pytest.mark.parametrize("path", COMPONENTS, ids=str)
def test_a_component_begins_with_what_it_wants(path: Path) -> None:
    assert (ROOT / path).read_text().startswith("{% comment %}")
