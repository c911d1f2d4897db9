"""A real web server for testing raw requests, and a client that can send anything."""

import os
import selectors
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.db import connection

from tests.support.processes import TIMEOUT_SECONDS, Home, free_port, wait_until

BLOCK = bytes(64 * 1024)
SEND_BUFFER = 16 * 1024  # bytes; small, so that the bytes sent are roughly the bytes read


class Server:
    """gunicorn on the tests' database, with its own data folder."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.home = Home(
            folder,
            DATABASE_URL=_database_url(),
            PORTAL_SECRET_KEY=settings.SECRET_KEY,
            PORTAL_TESTING="1",
            PORTAL_URL=self.url,
            WEB_CONCURRENCY="1",
        )

    def start(self, *options: str) -> None:
        """Start gunicorn with `options`. Raises AssertionError if it doesn't respond."""
        self.home.collect_static()
        bind = ("--bind", f"127.0.0.1:{self.port}")
        self.process = self.home.run(sys.executable, "-m", "gunicorn", *bind, *options, "lamina_portal.wsgi")
        wait_until(self._answers, "gunicorn to answer")

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.home.output()
        try:
            return requests.get(f"{self.url}/login/", timeout=5).ok
        except requests.RequestException:
            return False

    def written(self) -> int:
        """Return how many bytes the server's processes have written to files (not sockets) so far."""
        total = 0
        for pid in self.home.processes("gunicorn"):
            fields = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
            total += int(fields["wchar"])
        return total


def _database_url() -> str:
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlsplit(os.environ["TEST_DATABASE_URL"])._replace(path=f"/{name}").geturl()


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[Server]:
    server = Server(folder)
    try:
        server.start(*options)
        yield server
    finally:
        server.home.end_all()


@dataclass
class Told:
    """The outcome: the raw response, and how much of the body the server had read by then."""

    raw: bytes
    sent: int
    ended: bool  # whether the server closed the connection

    @property
    def status(self) -> int:
        return int(self.raw.split(b" ", 2)[1]) if self.raw else 0

    @property
    def answers(self) -> int:
        return self.raw.count(b"HTTP/1.1 ")

    @property
    def says_close(self) -> bool:
        return b"\r\nconnection: close\r\n" in self.raw.partition(b"\r\n\r\n")[0].lower() + b"\r\n"

    @property
    def text(self) -> str:
        return self.raw.partition(b"\r\n\r\n")[2].decode()


def push(port: int, path: str, size: int, *, kind: str, first: bytes = b"", **headers: str) -> Told:
    """POST a body of `size` bytes, starting with `first`, until it has been sent or the connection is closed. `kind` is
    the Content-Type. Names in `headers` have _ instead of -. Content-Length is correct unless `headers` set it."""
    given = {"Host": f"127.0.0.1:{port}", "Content-Type": kind, "Content-Length": str(size)}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items() if value)]
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        sock.connect(("127.0.0.1", port))
        sock.sendall("\r\n".join([*lines, "", ""]).encode())
        return _pour(sock, first, size)


def _pour(sock: socket.socket, first: bytes, size: int) -> Told:
    told, deadline = Told(b"", 0, ended=False), time.monotonic() + TIMEOUT_SECONDS
    sock.setblocking(False)
    with selectors.DefaultSelector() as ready:
        ready.register(sock, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while time.monotonic() < deadline:
            events = sum(events for _, events in ready.select(1))  # there is only one socket
            try:
                if events & selectors.EVENT_READ:
                    got = sock.recv(65536)
                    told.raw += got
                    told.ended = told.ended or not got
                if events & selectors.EVENT_WRITE and told.sent < size:
                    block = first[told.sent :] or BLOCK
                    told.sent += sock.send(block[: size - told.sent])
            except OSError:
                told.ended = True
                return told
            if told.sent >= size and (told.ended or _is_whole(told.raw)):
                return told
            if told.ended and told.sent < size and not events & selectors.EVENT_WRITE:
                ready.modify(sock, selectors.EVENT_WRITE)  # the server has stopped sending, so only a reset can follow
    raise AssertionError(f"no end after {TIMEOUT_SECONDS:.0f} s: {told.sent} bytes sent, {told.raw[:200]!r}")


def _is_whole(raw: bytes) -> bool:
    """Return whether a response with a Content-Length is complete."""
    head, _, body = raw.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(lengths) and len(body) >= int(lengths[0])
