"""Sends a signed webhook when a run ends, and retries after 5 s, 30 s and 2 min if it isn't accepted."""

import base64
import heapq
import http.client
import itertools
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from runs.sandbox import lifecycle, views
from runs.sandbox.lifecycle import Run
from runs.sandbox.state import World

TIMEOUT_SECONDS = 15
SENDERS = 8


@dataclass(frozen=True)
class Delivery:
    run: Run
    attempt: int = 0


class Deliveries:
    """One thread waits for runs to end; a small pool of threads sends the webhooks.

    As far as we know, Lamina sends no webhooks for cancelled runs.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self._key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(world.seed_hex))
        self._due: list[tuple[float, int, Delivery]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._stopped = False
        self._pool = ThreadPoolExecutor(SENDERS, "sandbox-webhook")
        self._thread = threading.Thread(target=self._wait_for_due, name="sandbox-webhooks", daemon=True)

    def start(self) -> None:
        """Start the thread, and schedule any webhooks left unsent when an earlier process was killed."""
        for run in self.world.newest_first():
            if run.webhook and not run.delivered:
                self._push(run.ends_at, Delivery(run))
        self._thread.start()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join(timeout=5)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def jwk(self) -> dict[str, str]:
        raw = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        x = base64.urlsafe_b64encode(raw).decode().rstrip("=")
        return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "lamina-webhook-v1", "use": "sig", "alg": "EdDSA"}

    def plan(self, run: Run) -> None:
        """Schedule the run's webhook, if it has one, to be sent when the run ends."""
        if run.webhook:
            self._push(run.ends_at, Delivery(run))

    def deliver_now(self, run: Run) -> None:
        """Send the webhook now and wait for the response. Don't call this while holding the world's lock."""
        self._send(Delivery(run))

    def _push(self, due: float | None, delivery: Delivery) -> None:
        if due is None:
            return
        with self._changed:
            heapq.heappush(self._due, (due, next(self._order), delivery))
            self._changed.notify()

    def _wait_for_due(self) -> None:
        while True:
            with self._changed:
                if self._stopped:
                    return
                now = self.world.clock()
                if not self._due or self._due[0][0] > now:
                    self._changed.wait(min(1.0, self._due[0][0] - now) if self._due else None)
                    continue
                delivery = heapq.heappop(self._due)[2]
            self._pool.submit(self._send, delivery)

    def _send(self, delivery: Delivery) -> None:
        run, now = delivery.run, self.world.clock()
        if not self._is_wanted(run, now):
            return
        with self.world.lock:
            orders = self.world.webhook_orders
            if orders.lose and delivery.attempt == 0:
                orders.lose -= 1 if orders.lose > 0 else 0
                self._finish(run)
                return
            body, copies, delays = self._body(run, now), 1 + orders.repeat, orders.delays
        accepted = [self._post(run, body) for _ in range(copies)]
        if any(accepted) or delivery.attempt >= len(delays):
            self._finish(run)
        else:
            due = self.world.clock() + delays[delivery.attempt]
            self._push(due, Delivery(run, delivery.attempt + 1))

    def _is_wanted(self, run: Run, now: float) -> bool:
        with self.world.lock:
            if self.world.runs.get(run.run_id) is not run or run.delivered:
                return False
            status = lifecycle.status_at(run, now)
        if status == "cancelled":
            self._finish(run)
        return status in {"completed", "failed"}

    def _finish(self, run: Run) -> None:
        with self.world.lock:
            run.delivered = True
            self.world.keep(run)

    def _body(self, run: Run, now: float) -> bytes:
        custom = self.world.webhook_orders.body
        if isinstance(custom, str):
            return custom.encode("utf-8", "replace")
        body: Any = custom if custom is not None else {"data": views.run_status(run, now, run.origin)}
        return json.dumps(body, separators=(",", ":")).encode("ascii")

    def sign(self, timestamp: str, body: bytes) -> str:
        """Return the Ed25519 signature, in hex, of the timestamp, a full stop and the raw body."""
        return self._key.sign(timestamp.encode("ascii") + b"." + body).hex()

    def _post(self, run: Run, body: bytes) -> bool:
        """Send one POST without following redirects. Return whether a 2xx response arrives within 15 seconds."""
        parts = urlsplit(run.webhook or "")
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "X-Lamina-Webhook-Signature": self.sign(timestamp, body),
            "X-Lamina-Webhook-Timestamp": timestamp,
            "X-Lamina-Webhook-Request-Id": run.run_id,
            "X-Lamina-Webhook-User-Id": "user-sandbox",
        }
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
        try:
            target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
            connection.request("POST", target, body, headers)
            return 200 <= connection.getresponse().status < 300
        except (OSError, http.client.HTTPException, ValueError):
            return False
        finally:
            connection.close()
