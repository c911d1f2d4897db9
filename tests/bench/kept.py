"""The stored figures of `quick`: what the portal needed the last time somebody checked and stored them.

Queries and requests must be the same; bytes may differ by 2 %. A better figure also counts as different: store it, or a
later change could undo the gain unnoticed. `python -m tests.bench quick --keep` stores the measured figures.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from tests.bench.report import Row, number

KEPT = Path(__file__).with_name("kept.json")
BYTES_MAY_DIFFER = 0.02


def load(path: Path = KEPT) -> dict[str, int]:
    figures: dict[str, int] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return figures


def compared(what: str, value: int, figures: dict[str, int], unit: str = "") -> Row:
    """Return a row whose target is met if `value` equals the stored figure or, for bytes (`unit` is " B"), is close to
    it."""
    kept = figures.get(what)
    if kept is None:
        return Row(what, f"{number(value)}{unit}", "to be kept", False, value)
    may_differ = kept * BYTES_MAY_DIFFER if unit else 0
    target = f"{'about' if unit else '='} {number(kept)}{unit}"
    return Row(what, f"{number(value)}{unit}", target, abs(value - kept) <= may_differ, value)


def keep(rows: Iterable[Row], path: Path = KEPT) -> None:
    """Store the figures in `rows`, and drop stored ones that are no longer measured."""
    figures = {row.what: row.value for row in rows if row.value is not None}
    path.write_text(json.dumps(figures, indent=2, sort_keys=True) + "\n", encoding="utf-8")
