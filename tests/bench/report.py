"""Results of a benchmark: one row per figure, with its target."""

import json
import math
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

WIDTHS = (68, 26, 12, 4)
NO_ERROR = "no error"
HEADINGS = ("what", "measured", "target", "met")


@dataclass(frozen=True)
class Row:
    """One figure. `met` is None if there is no target; `value` is set if the figure can be stored in kept.json (see
    `tests.bench.kept`)."""

    what: str
    measured: str
    target: str = ""
    met: bool | None = None
    value: int | None = None

    def as_line(self) -> str:
        met = {True: "yes", False: "NO", None: ""}[self.met]
        return line((self.what, self.measured, self.target, met))


def line(cells: Sequence[str]) -> str:
    """Return one line of the table. A long cell pushes the others to the right."""
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


def header() -> str:
    return f"{line(HEADINGS)}\n{line(['-' * width for width in WIDTHS])}"


class Report:
    """Collects rows in a file as they are measured, so a benchmark that is stopped halfway keeps them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.title = ""

    def add(self, row: Row) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(row)) + "\n")

    def rows(self) -> list[Row]:
        if not self.path.exists():
            return []
        return [Row(**json.loads(text)) for text in self.path.read_text(encoding="utf-8").splitlines()]

    def note(self, what: str, measured: str) -> None:
        """Add a figure without a target."""
        self.add(Row(self._full(what), measured))

    def at_most(self, what: str, value: float, target: float, unit: str = "", *, aside: str = "") -> None:
        """Add a figure that should be at most `target`; both are in `unit`. `aside` is shown after the value."""
        measured = f"{number(value)}{unit}{f' ({aside})' if aside else ''}"
        self.add(Row(self._full(what), measured, f"<= {number(target)}{unit}", value <= target))

    def at_least(self, what: str, value: float, target: float, unit: str = "", *, aside: str = "") -> None:
        """Add a figure that should be at least `target`; both are in `unit`. `aside` is shown after the value."""
        measured = f"{number(value)}{unit}{f' ({aside})' if aside else ''}"
        self.add(Row(self._full(what), measured, f">= {number(target)}{unit}", value >= target))

    @contextmanager
    def part(self, title: str) -> Iterator[None]:
        """Prefix rows added in the block with `title`. An error becomes a row, and the benchmark continues."""
        outer, self.title = self.title, title
        try:
            yield
        except Exception as error:  # noqa: BLE001 - the table shows any error
            traceback.print_exc(file=sys.stderr)
            self.add(Row(self._full("stopped"), f"{type(error).__name__}: {error}"[:200], NO_ERROR, False))
        finally:
            self.title = outer

    def _full(self, what: str) -> str:
        return f"{self.title}: {what}" if self.title else what


def number(value: float) -> str:
    """Format a value with at most two decimals: fewer for large values, none for whole numbers."""
    if value == int(value):
        return str(int(value))
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that is at least as large as `percent` % of `values`, which must not be empty."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
