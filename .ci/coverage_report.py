#!/usr/bin/env python3
"""Print the coverage of lines, and of branches where they were measured; least covered files first.

    coverage_report.py [DATA_FILE ...]

Without a data file, reads that of the last `make test-all COVERAGE=1`. With several, a line or branch is covered if
any of them covers it.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SHOWN = 12


@dataclass
class Parts:
    """Lines, or branches, of a file."""

    covered: set[Any] = field(default_factory=set)
    every: set[Any] = field(default_factory=set)

    def add(self, covered: list[Any], missing: list[Any]) -> None:
        self.covered.update(map(str, covered))
        self.every.update(map(str, covered + missing))


def main() -> int:
    lines: dict[str, Parts] = {}
    branches: dict[str, Parts] = {}
    for data_file in sys.argv[1:] or [".coverage"]:
        for name, file in report_of(data_file)["files"].items():
            lines.setdefault(name, Parts()).add(file["executed_lines"], file["missing_lines"])
            branches.setdefault(name, Parts()).add(file.get("executed_branches", []), file.get("missing_branches", []))
    shares = sorted((share([lines[name], branches[name]]), name) for name in lines)
    for percent, name in shares[:SHOWN]:
        print(f"{percent:5.1f} %  {name}")
    said = f"{share(lines.values()):.1f} % of {count(lines.values()):,} lines"
    if counted := count(branches.values()):
        where = sorted({folder_of(name) for name, parts in branches.items() if parts.every})
        said += f", {share(branches.values()):.1f} % of {counted:,} branches in {', '.join(where)}"
    print(f"Coverage: {said}.")
    return 0


def report_of(data_file: str) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "coverage.json"
        command = [sys.executable, "-m", "coverage", "json", "--quiet", f"--data-file={data_file}", "-o", str(written)]
        subprocess.run(command, check=True)
        return json.loads(written.read_text())


def folder_of(name: str) -> str:
    """Return the folder of the file `name` below the top folder, such as "runs/engine"; the file's own name if it isn't
    in a folder."""
    return "/".join(Path(name).parent.parts[:2]) or name


def count(parts: Collection[Parts]) -> int:
    return sum(len(one.every) for one in parts)


def share(parts: Collection[Parts]) -> float:
    """Return how much is covered, in percent; 100 if there is nothing to cover."""
    every = count(parts)
    return 100 * sum(len(one.covered) for one in parts) / every if every else 100.0


if __name__ == "__main__":
    sys.exit(main())
