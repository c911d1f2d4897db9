"""A running sandbox with a client that has its API key, and a helper that waits for a condition."""

import time
from collections.abc import Callable
from typing import Any

import requests

from runs.sandbox.server import Sandbox
from tests.support.processes import TIMEOUT_SECONDS

KEY = {"x-api-key": "lma_sandbox"}
CARTOONIFY = "3f68debe-df0a-4fc9-bdd3-9d45a4160587"
CAPTION = "sandbox-caption"


class Box:
    """A running sandbox and a client that has its API key."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.url = sandbox.url
        self.session = requests.Session()

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.session.get(self.url + path, headers=KEY, timeout=60, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        return self.session.post(self.url + path, headers=KEY, timeout=60, **options)

    def control(self, _path: str, **values: Any) -> dict[str, Any]:
        answer = requests.post(f"{self.url}/control/{_path}", json=values, timeout=60)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    @property
    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = requests.get(f"{self.url}/control/state", timeout=60).json()
        return found

    def start(self, app_id: str = CARTOONIFY, inputs: Any = None, **body: Any) -> str:
        """Start a run and return its id."""
        inputs = {"Style": "Ghibli"} if inputs is None else inputs
        answer = self.post(f"/v1/apps/{app_id}/runs", json={"inputs": inputs, **body})
        assert answer.status_code == 202, answer.text
        data = answer.json()["data"]
        return str(data.get("runId") or data["executionId"])

    def run(self, run_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"/v1/runs/{run_id}").json()["data"]
        return found

    def finished(self, run_id: str) -> dict[str, Any]:
        """Wait until the run is final, and return it."""
        return wait_for(lambda: self.run(run_id), lambda run: run["status"] in {"completed", "failed", "cancelled"})


def wait_for[T](look: Callable[[], T], is_good: Callable[[T], Any]) -> T:
    """Call `look` until `is_good` accepts its value, and return that value. If this takes too long, fail and show the
    last value."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while True:
        seen = look()
        if is_good(seen):
            return seen
        assert time.monotonic() < deadline, seen
        time.sleep(0.02)
