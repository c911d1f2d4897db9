#!/usr/bin/env python3
"""Print line coverage, and branch coverage if it was measured, from the last `make test COVERAGE=1`; least covered
files first."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

SHOWN = 12
COVERAGE = [sys.executable, "-m", "coverage"]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "coverage.json"
        subprocess.run([*COVERAGE, "json", "--quiet", "-o", str(written)], check=True)
        report = json.loads(written.read_text())
    files = sorted(report["files"].items(), key=lambda item: item[1]["summary"]["percent_covered"])
    for name, file in files[:SHOWN]:
        print(f"{file['summary']['percent_covered']:5.1f} %  {name}")
    total = report["totals"]
    said = f"{100 * total['covered_lines'] / total['num_statements']:.1f} % of {total['num_statements']:,} lines"
    if branches := total.get("num_branches"):
        said += f", {100 * total['covered_branches'] / branches:.1f} % of {branches:,} branches"
    print(f"Coverage: {said}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
