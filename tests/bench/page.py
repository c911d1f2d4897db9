"""Writes docs/benchmarks.md: each figure next to its target and the previous figure. Benchmarks that weren't run keep
their previous figures."""

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.report import NO_ERROR, Row
from tests.support.processes import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
HEAD = """# Benchmarks

Written by `make bench`; don't edit it. Each part says where, when and with which commit it was measured. *Before* is
the previous figure, if it differs. `make bench ARGS="history files"` measures only these parts again.
"""
COLUMNS = "| What | Measured | Target | Met | Before |\n| --- | --- | --- | --- | --- |\n"
MET = {True: "yes", False: "**no**", None: ""}
GB = 1024**3


@dataclass
class Part:
    """What one benchmark measured. `told` says where, when and with which commit; `lines` are the rows of its table."""

    told: str = ""
    lines: list[str] = field(default_factory=list)

    def measured(self) -> dict[str, str]:
        """Return the figures, keyed by what they measure."""
        cells = [cells_of(line) for line in self.lines]
        return {one[0]: one[1] for one in cells if len(one) > 1}


def write(name: str, rows: Sequence[Row], path: Path = PAGE) -> None:
    """Write the rows of the benchmark `name` to the page. If it was stopped halfway, keep its earlier figures."""
    parts = read(path.read_text(encoding="utf-8")) if path.exists() else {}
    if name in parts and any(row.target == NO_ERROR for row in rows):
        return
    told = f"{machine()}, {datetime.now(UTC).date():%-d %B %Y}, commit {commit()}."
    before = parts.get(name, Part()).measured()
    parts[name] = Part(told, [line_of(name, row, before) for row in rows])
    text = "".join(f"\n## {each}\n\n{part.told}\n\n{COLUMNS}{'\n'.join(part.lines)}\n" for each, part in parts.items())
    path.write_text(HEAD + text, encoding="utf-8")


def read(text: str) -> dict[str, Part]:
    """Return the parts of the page, keyed by benchmark name."""
    parts: dict[str, Part] = {}
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        name, _, body = section.partition("\n")
        lines = [line for line in body.splitlines() if line.strip()]
        rows = [line for line in lines if line.startswith("| ")][2:]
        parts[name.strip()] = Part(lines[0] if lines else "", rows)
    return parts


def line_of(name: str, row: Row, before: dict[str, str]) -> str:
    """Return the table line for `row`. Error messages are left out, because they may name folders on this machine."""
    what = cell(row.what.removeprefix(f"{name.replace('_', ' ')}: "))
    measured = "stopped" if row.target == NO_ERROR else cell(row.measured)
    was = before.get(what, "")
    return f"| {what} | {measured} | {cell(row.target)} | {MET[row.met]} | {was if was != measured else ''} |"


def cell(text: str) -> str:
    return " ".join(text.replace("|", "/").replace("<", "&lt;").split())


def cells_of(line: str) -> Sequence[str]:
    return [one.strip() for one in line.strip().strip("|").split("|")]


def machine() -> str:
    """Describe this machine by its cores, memory and current load, without anything that identifies it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GB
    return f"{os.cpu_count()} cores, {memory:.0f} GB of memory, {os.getloadavg()[0]:.1f} cores busy at the end"


def commit() -> str:
    """Return the abbreviated commit hash, and "with changes" if any tracked files differ from that commit."""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=30)
        return done.stdout.strip() if done.returncode == 0 else ""

    name = git("rev-parse", "--short=10", "HEAD")
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ":!docs/benchmarks.md")
    return f"{name or 'unknown'}{' with changes' if changed else ''}"
