"""The sandbox as a process: it starts, survives a kill, and stops cleanly."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from runs.sandbox import pictures
from runs.sandbox.server import start_sandbox
from tests.sandbox.box import CARTOONIFY, KEY, Box, wait_for
from tests.support.processes import TIMEOUT_SECONDS, free_port

ROOT = Path(__file__).resolve().parent.parent.parent


@contextlib.contextmanager
def process(folder: Path, *options: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Run `python -m runs.sandbox` on a free port, and yield the process and its address."""
    command = [sys.executable, "-m", "runs.sandbox", "--port", "0", "--data", str(folder), *options]
    running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert running.stdout
        found = re.search(r"http://\S+", running.stdout.readline())
        assert found
        yield running, found[0]
    finally:
        running.kill()
        running.wait()
        if running.stdout:
            running.stdout.close()


def start(url: str) -> str:
    body = {"inputs": {"Style": "Ghibli"}}
    answer = requests.post(f"{url}/v1/apps/{CARTOONIFY}/runs", json=body, headers=KEY, timeout=60)
    return str(answer.json()["data"]["runId"])


def test_runs_uploads_and_credits_survive_a_kill(tmp_path: Path) -> None:
    with process(tmp_path, "--seconds", "1", "--per-minute", "1000") as (running, url):
        run_id = start(url)
        wanted = {"files": [{"filename": "a.png", "mediaType": "image"}]}
        answer = requests.post(f"{url}/v1/assets/upload-urls", json=wanted, headers=KEY, timeout=60)
        upload = answer.json()["data"]["uploads"][0]
        requests.put(upload["uploadUrl"], b"kept", timeout=60)
        keys = requests.get(f"{url}/v1/webhooks/signing-key", headers=KEY, timeout=60).json()
        assert requests.get(f"{url}/v1/apps/card-twelve", headers=KEY, timeout=60).status_code == 404
        running.send_signal(signal.SIGKILL)
        running.wait()
    with process(tmp_path, "--per-minute", "1000", "--test-cards") as (_, url):
        assert requests.get(f"{url}/v1/apps/card-twelve", headers=KEY, timeout=60).ok
        run = wait_for(
            lambda: requests.get(f"{url}/v1/runs/{run_id}", headers=KEY, timeout=60).json()["data"],
            lambda run: run["status"] == "completed",
        )
        assert requests.get(run["outputs"][0]["value"], timeout=60).ok
        path = upload["assetUrl"].split("/assets/")[1]
        assert requests.get(f"{url}/assets/{path}", timeout=60).content == b"kept"
        assert requests.get(f"{url}/control/state", timeout=60).json()["balance"] == 4238
        assert requests.get(f"{url}/v1/webhooks/signing-key", headers=KEY, timeout=60).json() == keys


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_with_exit_code_0(tmp_path: Path, number: signal.Signals) -> None:
    with process(tmp_path) as (running, url), requests.Session() as session:
        assert session.get(f"{url}/control/state", timeout=60).ok
        running.send_signal(number)
        assert running.wait(timeout=60) == 0


def test_a_taken_port_gives_exit_code_1(box: Box, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "runs.sandbox", "--port", str(box.sandbox.port), "--data", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert f"127.0.0.1:{box.sandbox.port}" in done.stderr


def test_the_management_command_also_serves(tmp_path: Path) -> None:
    command = [sys.executable, "manage.py", "lamina_sandbox", "--port", "0", "--data", str(tmp_path / "data")]
    environment = os.environ | {"PORTAL_DATA_DIR": str(tmp_path)}
    running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment)
    assert running.stdout
    try:
        found = re.search(r"http://\S+", running.stdout.readline())
        assert found
        assert requests.get(f"{found[0]}/v1/apps", headers=KEY, timeout=60).ok
        running.terminate()
        assert running.wait(timeout=60) == 0
    finally:
        running.kill()
        running.wait()
        running.stdout.close()


def test_a_stopped_sandbox_is_silent_and_comes_back_on_its_port(tmp_path: Path) -> None:
    sandbox = start_sandbox(port=free_port(), data_dir=tmp_path, seconds=60)
    session = requests.Session()
    assert session.get(f"{sandbox.url}/v1/apps", headers=KEY, timeout=60).ok
    run_id = start(sandbox.url)
    sandbox.stop()
    with pytest.raises(requests.ConnectionError):
        session.get(f"{sandbox.url}/v1/apps", headers=KEY, timeout=60)
    again = start_sandbox(port=sandbox.port, data_dir=tmp_path)
    try:
        assert session.get(f"{again.url}/v1/runs/{run_id}", headers=KEY, timeout=60).ok
    finally:
        again.stop()


def test_a_sandbox_without_a_folder_leaves_nothing_behind() -> None:
    sandbox = start_sandbox()
    folder = sandbox.data_dir
    assert folder.is_dir()
    sandbox.stop()
    assert not folder.exists()


def test_two_hundred_runs_can_start_at_once(box: Box) -> None:
    began = time.process_time()
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda _: start(box.url), range(200)))
    assert len(set(found)) == 200
    listed = box.get("/v1/runs", params={"limit": 100}).json()
    assert listed["pagination"]["total"] == 200
    assert time.process_time() - began < 15
    assert box.state["balance"] == 4250 - 200 * 12


def test_the_api_answers_while_pictures_are_made(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [box.finished(box.start(inputs={"Style": style})) for style in ("Ghibli", "Simpsons", "Cyberpunk")]
    draw, drawing, answered = pictures.draw, threading.Event(), threading.Event()

    def draw_slowly(*given: Any) -> bytes:
        drawing.set()
        assert answered.wait(TIMEOUT_SECONDS)
        return draw(*given)

    monkeypatch.setattr(pictures, "draw", draw_slowly)
    with ThreadPoolExecutor(6) as pool:
        files = [pool.submit(requests.get, one["value"], timeout=60) for run in runs for one in run["outputs"]]
        assert drawing.wait(TIMEOUT_SECONDS)
        assert box.get("/v1/account").ok
        answered.set()
    assert all(file.result().ok for file in files)
