"""The whole portal under `kill -9` and ten simultaneous presses; also on PostgreSQL and Redis if they are
configured."""

import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from runs.background.prctl import die_with_parent
from tests.support import engines
from tests.support.processes import ROOT

pytestmark = [pytest.mark.whole, pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs Linux's /proc")]
TIMEOUT_SECONDS = 570.0  # less than pytest's time limit for the test, so that the log can still be printed


def verdict_of(program: str, *arguments: str) -> dict[str, Any]:
    """Run a program from tests/support and return its verdict; if it found a fault, fail with the whole log."""
    done = subprocess.run(
        [sys.executable, "-m", f"tests.support.{program}", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        preexec_fn=partial(die_with_parent, os.getpid(), signal.SIGTERM),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("engine", engines.parameters())
def test_no_run_is_lost_doubled_or_stuck_when_processes_are_killed(engine: str) -> None:
    verdict = verdict_of("kill_portal", "--engine", engine, "--runs", "20", "--kills", "8", "--seed", "4")

    assert verdict["presses"] == 20
    assert sum(verdict["kills"].values()) == 8
    assert verdict["restarts"] >= 3
    for fault in ("lost", "doubled", "strangers", "wrong", "stuck", "unfinished", "asked", "charged"):
        assert verdict[fault] == []


@pytest.mark.parametrize("engine", engines.parameters())
def test_ten_equal_posts_at_once_are_one_run_and_one_call(engine: str) -> None:
    found = verdict_of("equal_posts", "--engine", engine)

    assert {name: count for name, count in found.items() if name != "engine"} == {
        "rounds": 3, "pages": 3, "runs": 3, "completed": 3, "calls": 3, "at_sandbox": 3,
    }  # fmt: skip
