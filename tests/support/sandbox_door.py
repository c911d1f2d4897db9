"""The sandbox as tests see it: through its control door."""

from typing import Any

import requests


class SandboxDoor:
    """The sandbox seen through its control door: `sandbox.control("faults", endpoint="runs", fault="status")`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def control(self, _path: str, **values: Any) -> dict[str, Any]:
        """POST VALUES to /control/PATH and return the answer; a refusal of the sandbox fails the test."""
        return self._ask("POST", _path, json=values)

    def clear_faults(self) -> None:
        """From now on every endpoint works again, and delayed answers are sent."""
        self._ask("DELETE", "faults")

    def end_delays(self) -> None:
        """Send delayed answers now; lasting faults continue."""
        self._ask("DELETE", "delays")

    @property
    def state(self) -> dict[str, Any]:
        """Runs, requests, balance and counters as the sandbox knows them now."""
        return self._ask("GET", "state")

    @property
    def runs(self) -> list[dict[str, Any]]:
        """Every run that was started at the sandbox, oldest first."""
        found: list[dict[str, Any]] = self.state["runs"]
        return found

    def requests_to(self, endpoint: str) -> list[dict[str, Any]]:
        """The requests that reached ENDPOINT (the control door's name for it), oldest first."""
        return [request for request in self.state["requests"] if request["endpoint"] == endpoint]

    def _ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        answer = requests.request(method, f"{self.url}/control/{path}", timeout=60, **options)
        assert answer.ok, answer.text
        found: dict[str, Any] = answer.json()
        return found
