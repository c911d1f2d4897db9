"""The sandbox's control API, as tests use it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import requests


@contextmanager
def small_pictures() -> Iterator[None]:
    """Make a sandbox in this process make small pictures, which takes a tenth of the time."""
    from runs.sandbox import pictures

    small = {shape: (width // 4, height // 4) for shape, (width, height) in pictures.SIZES.items()}
    with patch.dict(pictures.SIZES, small):
        yield


class SandboxDoor:
    """The sandbox's control API: `sandbox.control("faults", endpoint="runs", fault="status")`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def control(self, _path: str, **values: Any) -> dict[str, Any]:
        """POST `values` to a path below /control/ and return the response. Fails the test if the sandbox refuses."""
        return self._ask("POST", _path, json=values)

    def clear_faults(self) -> None:
        """Make every endpoint work again, and release delayed responses."""
        self._ask("DELETE", "faults")

    def end_delays(self) -> None:
        """Release delayed responses now; lasting faults stay."""
        self._ask("DELETE", "delays")

    @property
    def state(self) -> dict[str, Any]:
        """Return the sandbox's current runs, requests, balance and counters."""
        return self._ask("GET", "state")

    @property
    def runs(self) -> list[dict[str, Any]]:
        """Return every run started on the sandbox, oldest first."""
        found: list[dict[str, Any]] = self.state["runs"]
        return found

    def requests_to(self, endpoint: str) -> list[dict[str, Any]]:
        """Return the requests that reached `endpoint` (the control API's name for it), oldest first."""
        return [request for request in self.state["requests"] if request["endpoint"] == endpoint]

    def _ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        answer = requests.request(method, f"{self.url}/control/{path}", timeout=60, **options)
        assert answer.ok, answer.text
        found: dict[str, Any] = answer.json()
        return found
