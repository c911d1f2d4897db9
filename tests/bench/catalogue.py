"""How the portal copes when Lamina's app list is cut, reordered or delayed."""

from typing import Any

import requests

from tests.bench.app_list_scenes import SCENES, prepare
from tests.bench.portal import Portal
from tests.bench.report import Report


class ControlDoor:
    """The sandbox's control API, for the scenes."""

    def __init__(self, url: str) -> None:
        self.url = f"{url}/control"

    def control(self, _path: str, **values: Any) -> dict[str, Any]:
        answer = requests.post(f"{self.url}/{_path}", json=values, timeout=10)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def requests_to(self, endpoint: str) -> list[dict[str, Any]]:
        answer = requests.get(f"{self.url}/state", timeout=10)
        answer.raise_for_status()
        return [request for request in answer.json()["requests"] if request["endpoint"] == endpoint]


def bench(portal: Portal, report: Report) -> None:
    door, member = ControlDoor(portal.sandbox.url), portal.make_member("demo")
    for title, scene in SCENES.items():
        with report.part(title):
            prepare(door)
            for row in scene(door, member):
                report.add(row)
