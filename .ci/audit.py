#!/usr/bin/env python3
"""audit.py [REQUIREMENTS]: check pinned dependencies for published advisories (OSV) with pip-audit.

If the advisory source can't be reached, the script says so and doesn't fail, so `make check` works offline.
`audit-exceptions.toml` in this folder lists advisories to ignore, each with a reason and a last day. AUDIT_SOURCE names
another source with OSV's API.

Exit code: 0 if nothing was found or nothing could be checked, 1 if something was found or an exception has expired.
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
            print("The dependency audit stopped early.", file=sys.stderr)
            return 1
        return tell(json.loads(found.read_text()), len(ignored) // 2)


def exceptions(today: date) -> tuple[list[str], list[str]]:
    """Return options that ignore advisories, and a sentence for each problem: an exception that has expired or lacks a
    reason, or a file that can't be read."""
    options, problems = [], []
    try:
        listed = listed_exceptions()
    except ValueError as error:
        return [], [f"{EXCEPTIONS.name} {error}"]
    for entry in listed:
        name, last_day = entry.get("id", "?"), entry.get("until")
        if not entry.get("reason") or type(last_day) is not date:
            problems.append(f"{EXCEPTIONS.name}: {name} needs a reason and a last day (until = 2027-01-31).")
        elif today > last_day:
            problems.append(f"{EXCEPTIONS.name}: the exception for {name} ended on {last_day}. Review it.")
        options += ["--ignore-vuln", name]
    return options, problems


def listed_exceptions() -> list[dict[str, Any]]:
    """Return the tables in the file; raise ValueError, with the rest of a sentence about the file, if it's invalid."""
    text = EXCEPTIONS.read_text(encoding="utf-8") if EXCEPTIONS.exists() else ""
    try:
        listed = tomllib.loads(text).get("exception", [])
    except tomllib.TOMLDecodeError as error:
        last = f"line {len(text.splitlines())}"
        raise ValueError(f"is not valid TOML: {str(error).replace('end of document', last)}.") from None
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise ValueError("must list each advisory in a table of its own, which begins with [[exception]].")
    return listed


def why_unreachable() -> str:
    """Return why advisories can't be fetched, or an empty string if they can."""
    question = {"package": {"ecosystem": "PyPI", "name": "pip"}, "version": "25.0"}
    try:
        answer = requests.post(SOURCE, json=question, timeout=SECONDS)
        answer.raise_for_status()
        answer.json()
    except (requests.ConnectionError, requests.Timeout):
        return "the advisory source cannot be reached from here."
    except requests.RequestException as error:
        return f"the advisory source sent an unusable answer ({type(error).__name__})."
    return ""


def tell(report: dict[str, Any], ignored: int) -> int:
    """Print the findings; return 1 if there are any."""
    affected = [package for package in report["dependencies"] if package.get("vulns")]
    for package in affected:
        for advisory in package["vulns"]:
            fixed = ", ".join(advisory["fix_versions"]) or "no version yet"
            print(f"{package['name']} {package['version']}: {advisory['id']} (fixed in {fixed})", file=sys.stderr)
    left_out = f", {ignored} advisories ignored" if ignored else ""
    print(f"{len(report['dependencies'])} dependencies audited{left_out}: {len(affected)} with known vulnerabilities.")
    return 1 if affected else 0


if __name__ == "__main__":
    sys.exit(main(*(sys.argv[1:] or ["requirements-dev.txt"])))
