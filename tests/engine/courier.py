"""Sends webhooks to the portal, as Lamina or as somebody pretending to be Lamina."""

import time
from typing import Any

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import Client

from runs.models import Run
from runs.sandbox.server import Sandbox
from tests.engine.steps import KEY
from tests.support.processes import busy_at_most
from tests.support.sandbox_door import SandboxDoor


class Courier:
    """Sends webhooks signed with the sandbox's key. Tests can replace any part of a delivery."""

    def __init__(self, server: Sandbox, door: SandboxDoor) -> None:
        self.server = server
        self.door = door

    def body(self, run_id: str) -> bytes:
        """Return Lamina's current response for the run `run_id`, byte for byte."""
        answer = requests.get(f"{self.door.url}/v1/runs/{run_id}", headers=KEY, timeout=60)
        answer.raise_for_status()
        return answer.content

    def headers(self, body: bytes, run_id: str, at: float | None = None) -> dict[str, str]:
        """Return the headers of a genuine delivery, signed at the time `at` (Unix seconds; now if it is None)."""
        timestamp = str(int(time.time() if at is None else at))
        return {
            "X-Lamina-Webhook-Signature": self.server._deliveries.sign(timestamp, body),
            "X-Lamina-Webhook-Timestamp": timestamp,
            "X-Lamina-Webhook-Request-Id": run_id,
        }

    def deliver(self, run: Run, body: bytes | None = None, run_id: str = "") -> int:
        """Send a genuine delivery to the webhook path of `run`; return the status of the response."""
        run_id = run_id or run.remote_id
        body = self.body(run_id) if body is None else body
        return post(run.hook_token, body, self.headers(body, run_id))

    def change_key(self) -> Ed25519PrivateKey:
        """Make Lamina sign with another key from now on; return the old key."""
        old, self.server._deliveries._key = self.server._deliveries._key, Ed25519PrivateKey.generate()
        return old


def post(token: str, body: bytes, headers: dict[str, str]) -> int:
    """POST to the webhook path with `token` and return the status; fail if this takes more than a second of CPU
    time."""
    with busy_at_most(seconds=1):
        answer: Any = Client(enforce_csrf_checks=True).post(
            f"/hooks/lamina/{token}/", body, content_type="application/json", headers=headers
        )
    assert not answer.content
    status: int = answer.status_code
    return status
