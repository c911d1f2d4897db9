"""What a bench found: one row per figure, with the bar beside it."""

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
HEADINGS = ("what", "measured", "bar", "held")


@dataclass(frozen=True)
class Row:
    """One figure. HELD is None where there is no bar."""

    what: str
    measured: str
    bar: str = ""
    held: bool | None = None

    def as_line(self) -> str:
        held = {True: "yes", False: "NO", None: ""}[self.held]
        return line((self.what, self.measured, self.bar, held))


def line(cells: Sequence[str]) -> str:
    """One line of the table; a cell that is too long pushes the others aside."""
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


def header() -> str:
    return f"{line(HEADINGS)}\n{line(['-' * width for width in WIDTHS])}"


class Report:
    """Collects rows in a file, each as it is known: a bench that is stopped half-way keeps what it has found."""

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
        """A figure without a bar."""
        self.add(Row(self._full(what), measured))

    def at_most(self, what: str, value: float, bar: float, unit: str = "", *, aside: str = "") -> None:
        """A figure that holds when VALUE is not above BAR; both in UNIT. ASIDE is shown behind the value."""
        measured = f"{number(value)}{unit}{f' ({aside})' if aside else ''}"
        self.add(Row(self._full(what), measured, f"<= {number(bar)}{unit}", value <= bar))

    @contextmanager
    def part(self, title: str) -> Iterator[None]:
        """Rows inside begin with TITLE; an error becomes a row of its own and the bench goes on behind the block."""
        outer, self.title = self.title, title
        try:
            yield
        except Exception as error:  # noqa: BLE001 - told in the table, whatever it is
            traceback.print_exc(file=sys.stderr)
            self.add(Row(self._full("broke off"), f"{type(error).__name__}: {error}"[:200], NO_ERROR, False))
        finally:
            self.title = outer

    def _full(self, what: str) -> str:
        return f"{self.title}: {what}" if self.title else what


def number(value: float) -> str:
    """At most two decimals, fewer for large values, none for whole ones."""
    if value == int(value):
        return str(int(value))
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest of VALUES that at least PERCENT of them do not exceed. VALUES must not be empty."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
