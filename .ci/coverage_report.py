#!/usr/bin/env python3
"""Print line and branch coverage from the last `make test COVERAGE=1`, least covered files first."""

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
    lines, branches = total["num_statements"], total["num_branches"]
    print(
        f"Coverage: {100 * total['covered_lines'] / lines:.1f} % of {lines:,} lines, "
        f"{100 * total['covered_branches'] / branches:.1f} % of {branches:,} branches."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
