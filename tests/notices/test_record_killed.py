"""Notices when two processes that report the same events are killed: each person gets one notice per event (N1)."""

import json
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import engines
from tests.support.notice_teller import PEOPLE, RUNS
from tests.support.processes import Home, wait_until

TELLER = (sys.executable, "-m", "tests.support.notice_teller")


@pytest.mark.whole
@pytest.mark.parametrize("name", engines.parameters())
def test_each_event_makes_one_notice_for_each_person_whoever_is_killed(name: str, tmp_path: Path) -> None:
    with engines.engine(name) as engine:
        home = Home(tmp_path, **engine.env)
        home.migrate()
        assert home.run(*TELLER, "make").wait() == 0, home.output()
        killed = [tell_and_kill(home) for _ in range(2)]
        assert [process.wait() for process in (home.run(*TELLER, "tell"), home.run(*TELLER, "tell"))] == [0, 0]
        done = subprocess.run([*TELLER, "count"], cwd=home.root, env=home.env, capture_output=True, check=True)
    assert killed == [-signal.SIGKILL] * 2
    assert json.loads(done.stdout) == {"notices": RUNS * PEOPLE, "wrong": 0}


def tell_and_kill(home: Home) -> int:
    """Start two processes that report events, and kill them one after the other while they're working; return the first
    one's exit code."""
    before = home.output().count("told")
    first, second = home.run(*TELLER, "tell"), home.run(*TELLER, "tell")
    few = random.randint(1, 10)
    wait_until(lambda: home.output().count("told") >= before + few, "the processes to tell")
    for process in (first, second):
        process.kill()
        process.wait()
    return first.returncode
