"""Webhooks are signed and retried. Tests can make them go missing, arrive twice or arrive early."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.sandbox.box import CARTOONIFY, Box, wait_for


class Receiver(ThreadingHTTPServer):
    """Records every webhook. Responds with the statuses in `answers`, then with 200."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/hook?a=b c"


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers), body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def start(box: Box, receiver: Receiver) -> str:
    hook = quote(receiver.url.replace(" ", "%20"), safe="")
    answer = box.post(f"/v1/apps/{CARTOONIFY}/runs?webhook={hook}", json={"inputs": {"Style": "Ghibli"}})
    assert answer.status_code == 202
    assert answer.json()["data"]["webhookUrl"] == receiver.url.replace(" ", "%20")
    return str(answer.json()["data"]["runId"])


def check(box: Box, headers: dict[str, str], body: bytes) -> dict[str, Any]:
    """Check the signature, and return the body."""
    jwk = box.get("/v1/webhooks/signing-key").json()["keys"][0]
    key = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(jwk["x"] + "="))
    stamp = headers["X-Lamina-Webhook-Timestamp"]
    key.verify(bytes.fromhex(headers["X-Lamina-Webhook-Signature"]), stamp.encode() + b"." + body)
    with pytest.raises(InvalidSignature):
        key.verify(bytes.fromhex(headers["X-Lamina-Webhook-Signature"]), stamp.encode() + b"." + body + b"\n")
    found: dict[str, Any] = json.loads(body)
    return found


def test_a_finished_run_sends_a_signed_webhook(box: Box, receiver: Receiver) -> None:
    run_id = start(box, receiver)
    wait_for(lambda: receiver.got, len)
    headers, body = receiver.got[0]
    assert headers["X-Lamina-Webhook-Request-Id"] == run_id
    assert headers["Content-Type"] == "application/json"
    assert check(box, headers, body) == {"data": box.run(run_id)}


def test_failed_runs_send_a_webhook_and_cancelled_ones_do_not(box: Box, receiver: Receiver) -> None:
    box.control("script", seconds=60)
    cancelled = start(box, receiver)
    box.post(f"/v1/runs/{cancelled}/cancel")
    box.control("script", outcome="failed", error="No")
    start(box, receiver)
    wait_for(lambda: receiver.got, len)
    assert [json.loads(body)["data"]["status"] for _, body in receiver.got] == ["failed"]


def test_a_refused_webhook_is_retried_with_a_new_signature(box: Box, receiver: Receiver) -> None:
    box.control("webhooks", delays=[1.1, 0.05])
    receiver.answers = [500, 404]
    start(box, receiver)
    wait_for(lambda: receiver.got, lambda got: len(got) == 3)
    for headers, body in receiver.got:
        check(box, headers, body)
    assert len({headers["X-Lamina-Webhook-Signature"] for headers, _ in receiver.got}) > 1


def test_lost_repeated_and_made_up_webhooks(box: Box, receiver: Receiver) -> None:
    box.control("webhooks", lose=1)
    lost = start(box, receiver)
    box.finished(lost)
    wait_for(lambda: box.sandbox.world.runs[lost].delivered, bool)
    box.control("webhooks", repeat=1)
    start(box, receiver)
    wait_for(lambda: receiver.got, lambda got: len(got) == 2)
    assert lost not in {headers["X-Lamina-Webhook-Request-Id"] for headers, _ in receiver.got}
    box.control("webhooks", repeat=0, body={"data": {"runId": "other"}})
    start(box, receiver)
    wait_for(lambda: receiver.got, lambda got: len(got) == 3)
    assert receiver.got[2][1] == b'{"data":{"runId":"other"}}'


def test_an_early_webhook_comes_before_the_response(box: Box, receiver: Receiver) -> None:
    box.control("webhooks", early=True)
    run_id = start(box, receiver)
    assert [json.loads(body)["data"]["runId"] for _, body in receiver.got] == [run_id]


def test_a_run_ended_by_hand_sends_a_webhook(box: Box, receiver: Receiver) -> None:
    box.control("script", outcome="never")
    run_id = start(box, receiver)
    box.control(f"runs/{run_id}", status="completed")
    wait_for(lambda: receiver.got, len)


def test_a_run_ended_early_sends_one_webhook(box: Box, receiver: Receiver) -> None:
    box.control("script", seconds=2)
    box.control("script", seconds=2.1)
    first, second = start(box, receiver), start(box, receiver)
    box.control(f"runs/{first}", status="completed")
    box.finished(second)  # the other run has also reached its planned end
    wait_for(lambda: box.sandbox.world.runs[second].delivered, bool)
    assert [headers["X-Lamina-Webhook-Request-Id"] for headers, _ in receiver.got] == [first, second]


@pytest.mark.parametrize("address", ["ftp://example.com/", "nonsense", "http://", "http://example.com:x/"])
def test_a_wrong_address_is_refused(box: Box, address: str) -> None:
    answer = box.post(f"/v1/apps/{CARTOONIFY}/runs", params={"webhook": address}, json={"inputs": {"Style": "Ghibli"}})
    assert (answer.status_code, answer.json()["code"]) == (400, "WEBHOOK_INVALID_URL")
