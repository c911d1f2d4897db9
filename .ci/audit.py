#!/usr/bin/env python3
"""audit.py [REQUIREMENTS]: holds pinned dependencies against published advisories (OSV), with pip-audit.

Where the source of advisories cannot be reached, that is said and nothing fails: a laptop on a train can run
`make check`. `audit-exceptions.toml` beside this file names advisories that do not count, each with a reason and a
last day; after that day it counts again. AUDIT_SOURCE names another source that speaks OSV's language.

Exit code: 0 nothing found or nothing audited, 1 something found or an exception that has run out.
"""

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import requests

SOURCE = os.environ.get("AUDIT_SOURCE", "https://api.osv.dev/v1/query")
EXCEPTIONS = Path(os.environ.get("AUDIT_EXCEPTIONS", Path(__file__).with_name("audit-exceptions.toml")))
SECONDS = 10


def main(requirements: str) -> int:
    ignored, problems = exceptions(datetime.now(UTC).date())
    if problems:
        print("\n".join(problems), file=sys.stderr)
        return 1
    if reason := why_unreachable():
        print(f"Dependencies were NOT audited: {reason}")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "found.json"
        command = [sys.executable, "-m", "pip_audit", "--requirement", requirements, "--disable-pip"]
        command += ["--require-hashes", "--vulnerability-service", "osv", "--osv-url", SOURCE]
        command += ["--timeout", str(SECONDS), "--progress-spinner", "off", "--format", "json", "--output", str(found)]
        done = subprocess.run([*command, *ignored], capture_output=True, text=True)
        if not found.exists():
            print(done.stderr, file=sys.stderr)
            print("The audit of the dependencies broke off.", file=sys.stderr)
            return 1
        return tell(json.loads(found.read_text()), len(ignored) // 2)


def exceptions(today: date) -> tuple[list[str], list[str]]:
    """Options that leave advisories out, and a sentence for each exception that has run out or gives no reason."""
    options, problems = [], []
    listed = tomllib.loads(EXCEPTIONS.read_text())["exception"] if EXCEPTIONS.exists() else []
    for entry in listed:
        name, last_day = entry.get("id", "?"), entry.get("until")
        if not entry.get("reason") or not isinstance(last_day, date):
            problems.append(f"{EXCEPTIONS.name}: {name} needs a reason and a last day (until = 2027-01-31).")
        elif today > last_day:
            problems.append(f"{EXCEPTIONS.name}: the exception for {name} ended on {last_day}. Look at it again.")
        options += ["--ignore-vuln", name]
    return options, problems


def why_unreachable() -> str:
    """Why no advisories can be had; empty when they can."""
    question = {"package": {"ecosystem": "PyPI", "name": "pip"}, "version": "25.0"}
    try:
        answer = requests.post(SOURCE, json=question, timeout=SECONDS)
        answer.raise_for_status()
        answer.json()
    except (requests.ConnectionError, requests.Timeout):
        return "the source of advisories cannot be reached from here."
    except requests.RequestException as error:
        return f"the source of advisories gave no useful answer ({type(error).__name__})."
    return ""


def tell(report: dict[str, Any], ignored: int) -> int:
    """Print what was found; 1 if anything was."""
    affected = [package for package in report["dependencies"] if package.get("vulns")]
    for package in affected:
        for advisory in package["vulns"]:
            fixed = ", ".join(advisory["fix_versions"]) or "no version yet"
            print(f"{package['name']} {package['version']}: {advisory['id']} (fixed in {fixed})", file=sys.stderr)
    left_out = f", {ignored} advisories left out" if ignored else ""
    print(f"{len(report['dependencies'])} dependencies audited{left_out}: {len(affected)} with known vulnerabilities.")
    return 1 if affected else 0


if __name__ == "__main__":
    sys.exit(main(*(sys.argv[1:] or ["requirements-dev.txt"])))
