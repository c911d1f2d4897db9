"""A whole worker that follows many runs: handing over, stopping and dying take no longer than without streams."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from runs.sandbox.server import Sandbox, start_sandbox
from tests.engine.steps import CARTOONIFY, INPUTS, KEY
from tests.support.processes import TIMEOUT_SECONDS, Home, wait_until

pytestmark = [pytest.mark.whole, pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs Linux's /proc")]
STREAMS = 40
STOP_SECONDS = 2.0


@pytest.fixture
def lamina(tmp_path: Path) -> Iterator[Sandbox]:
    sandbox = start_sandbox(data_dir=tmp_path / "lamina", per_minute=None)
    yield sandbox
    sandbox.stop()


class Portal:
    """A worker and its surroundings: the database and the sandbox that it uses."""

    def __init__(self, home: Home, lamina: Sandbox) -> None:
        self.home, self.lamina = home, lamina
        self.control("follow", look_seconds=0.2)

    def control(self, path: str, **values: Any) -> None:
        requests.post(f"{self.lamina.url}/control/{path}", json=values, timeout=60).raise_for_status()

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = requests.get(f"{self.lamina.url}/control/state", timeout=60).json()
        return found

    def start_runs(self, count: int) -> list[str]:
        """Start runs that continue until the test ends them."""
        self.control("script", appId=None, times=count, outcome="never", seconds=0)
        url, body = f"{self.lamina.url}/v1/apps/{CARTOONIFY}/runs", {"inputs": INPUTS[CARTOONIFY]}
        for _ in range(count):
            requests.post(url, json=body, headers=KEY, timeout=60).raise_for_status()
        ids = [str(run["runId"]) for run in self.state()["runs"]]
        self.do("start", *ids)
        return ids

    def do(self, *arguments: str) -> str:
        """Run tests.support.followed_runs."""
        command = [sys.executable, "-m", "tests.support.followed_runs", *arguments]
        return subprocess.run(
            command, cwd=self.home.root, env=self.home.env, capture_output=True, check=True
        ).stdout.decode()

    def told(self) -> dict[str, int]:
        found: dict[str, int] = json.loads(self.do("tell"))
        return found

    def seconds_to_tell(self) -> float:
        began = time.monotonic()
        self.told()
        return time.monotonic() - began

    def wait_for_streams(self, count: int) -> None:
        wait_until(lambda: len(self.state()["streams"]) == count, f"{count} open streams")


@pytest.fixture
def portal(tmp_path: Path, lamina: Sandbox) -> Iterator[Portal]:
    home = Home(tmp_path / "portal", LAMINA_BASE_URL=lamina.url, LAMINA_REQUESTS_PER_MINUTE="10000")
    home.folder.mkdir()
    home.migrate()
    yield Portal(home, lamina)
    home.end_all()


def test_a_worker_with_40_streams_hands_over_and_stops(portal: Portal) -> None:
    ids = portal.start_runs(STREAMS)
    worker = portal.home.start("worker")
    portal.wait_for_streams(STREAMS)

    portal.do("steal")  # the poller loses its lease
    portal.wait_for_streams(0)
    portal.do("revive")
    portal.wait_for_streams(STREAMS)

    os.kill(portal.told()["poller"], signal.SIGKILL)
    portal.wait_for_streams(0)
    portal.control(f"runs/{ids[0]}", status="completed")  # nobody is following the run at this moment
    portal.do("revive")
    portal.wait_for_streams(STREAMS - 1)
    wait_until(lambda: portal.told()["ended"] == 1, "the end that came while nobody listened")

    seconds = [portal.seconds_to_tell()]  # takes about a second on an idle machine, as does stopping a worker
    began = time.monotonic()
    worker.terminate()
    assert worker.wait(TIMEOUT_SECONDS) == 0
    took = time.monotonic() - began
    seconds.append(portal.seconds_to_tell())  # the machine may have become busy in the meantime
    assert took < STOP_SECONDS * max(1.0, *seconds)
    assert portal.state()["streams"] == []
    assert portal.told()["poller"] == 0

    portal.home.start("worker")
    portal.do("revive")
    portal.wait_for_streams(STREAMS - 1)
    for run_id in ids[1:]:
        portal.control(f"runs/{run_id}", status="completed")
    wait_until(lambda: portal.told()["ended"] == STREAMS, "every end")
    state = portal.state()
    assert (len(state["runs"]), state["refused_429"], state["most_streams"]) == (STREAMS, 0, STREAMS)
