"""Real web servers on loopback, with the portal's worker, a small application and short deadlines."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import requests

from runs.background.prctl import die_with_parent
from tests.support.processes import ROOT, TIMEOUT_SECONDS, free_port, wait_until

CONFIG = """
from lamina_portal.server import deadlines, sockets, worker
deadlines.HEAD_SECONDS = worker.HEAD_SECONDS = 1.5
deadlines.BODY_SECONDS = worker.BODY_SECONDS = 3.0
deadlines.UPLOAD_SECONDS = worker.UPLOAD_SECONDS = 1.0
sockets.ALLOWANCE_SECONDS, sockets.MOST_ALLOWANCE_SECONDS = 1.0, 3.0
worker.STALLED_SECONDS = 2.0
worker.SWEEP_SECONDS = 0.1
worker_class = "lamina_portal.server.worker.Worker"
control_socket_disable = True
forwarded_allow_ips = ""
keepalive = 3
graceful_timeout = 8
"""


class Server:
    """gunicorn with the portal's worker and the small application; `options` are extra configuration lines."""

    def __init__(self, folder: Path, options: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "server.log"
        config = folder / "gunicorn.conf.py"
        config.write_text(f"{CONFIG}\n{options}\n")
        command = ["-m", "gunicorn", "-c", str(config), "--bind", f"127.0.0.1:{self.port}"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command, "tests.server.app"],
                cwd=ROOT,
                stdout=log,
                stderr=log,
                preexec_fn=partial(die_with_parent, os.getpid(), signal.SIGTERM),
            )
        wait_until(self._answers, "the server to answer")

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        with suppress(requests.ConnectionError):
            return requests.get(f"{self.url}/pid", headers={"Connection": "close"}, timeout=10).ok
        return False

    def connect(self, window: int = 0) -> socket.socket:
        """Open a connection; `window` limits how many unread bytes the connection holds (0: the default)."""
        client = socket.socket()
        if window:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        client.settimeout(20)
        client.connect(("127.0.0.1", self.port))
        return client

    def get(self, path: str, seconds: float = 10) -> str:
        """Return the response to a GET on a separate connection."""
        return requests.get(f"{self.url}{path}", timeout=seconds).text

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(TIMEOUT_SECONDS)
        finally:
            self.process.kill()


type Serve = Callable[..., Server]


def request(path: str, *headers: str, method: str = "GET") -> bytes:
    """Return the head of a request."""
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers, "", "")).encode()


def read_answer(client: socket.socket) -> tuple[str, bytes]:
    """Return the head and body of the next response; ("", b"") if the connection was closed instead."""
    received = b""
    while b"\r\n\r\n" not in received:
        if not (data := client.recv(1)):
            return "", received
        received += data
    head = received.decode()
    length = next((int(line[15:]) for line in head.lower().split("\r\n") if line.startswith("content-length:")), 0)
    body = b""
    while len(body) < length and (data := client.recv(length - len(body))):
        body += data
    return head, body


def read_to_end(client: socket.socket) -> bytes:
    """Return everything that arrives until the server closes or resets the connection."""
    received = b""
    with suppress(ConnectionResetError):
        while data := client.recv(65536):
            received += data
    return received
