"""Starts 200 runs while killing 200 processes: `python -m tests.bench kill`, on both engines if both are available.

For other numbers, use `python -m tests.bench.kill --runs 200 --kills 50 --seed 1 --engine sqlite`, which prints the
verdict as JSON. `tests.support.kill_portal` does the work and the checks.
"""

import json
import subprocess
import sys
from typing import Any

from tests.bench.portal import Portal
from tests.bench.report import Report
from tests.support import kill_portal
from tests.support.engines import has_servers
from tests.support.processes import ROOT

RUNS, KILLS, SEED = 200, 200, 1
DEFAULTS = ("--runs", str(RUNS), "--kills", str(KILLS), "--seed", str(SEED))
NEVER = {
    "lost": "presses lost",
    "doubled": "presses started twice",
    "strangers": "runs on Lamina that nobody has here",
    "wrong": "runs that ended wrong",
    "stuck": "runs stuck",
    "unfinished": "runs not final 2 minutes after the last kill",
    "asked": "runs waiting for a person",
    "charged": "charges or sums that are wrong",
}


def bench(_portal: Portal, report: Report) -> None:
    """Start a separate portal to kill. The benchmark's usual portal stays idle."""
    for engine in ("sqlite", "postgres") if has_servers() else ("sqlite",):
        with report.part(f"kill -9, {engine}"):
            tell(report, judged(engine))


def judged(engine: str) -> dict[str, Any]:
    """Return the verdict from a separate process, since Django can be set up only once per process."""
    command = [sys.executable, "-m", "tests.support.kill_portal", "--engine", engine, *DEFAULTS]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    if not done.stdout.strip():
        raise RuntimeError(f"no verdict, exit code {done.returncode}")
    verdict: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return verdict


def tell(report: Report, verdict: dict[str, Any]) -> None:
    kills = sum(verdict["kills"].values())
    report.note("presses, kills, parts restarted", f"{verdict['presses']}, {kills}, {verdict['restarts']}")
    report.note("starts looked for, sent again", f"{verdict['checked']}, {verdict['begun_again']}")
    for name, words in NEVER.items():
        report.at_most(words, len(verdict[name]), 0)
    report.at_most("from the last kill until every run was final", verdict["settled_seconds"], 120, " s")


if __name__ == "__main__":
    sys.exit(kill_portal.main([*DEFAULTS, *sys.argv[1:]]))
