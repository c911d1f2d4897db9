"""Strangers who open many slow connections and never finish a request or a response."""

import re
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import requests

from tests.support.processes import wait_until

EVERY_SECONDS = 0.5  # seconds between bytes on each connection
SMALL_WINDOW = 4096  # bytes that a slow reader's buffer holds
ASKED = 10
BOUND_SECONDS = 2.0
TOKEN = "A" * 43  # as long as the tokens in the portal's addresses


@dataclass(frozen=True)
class Kind:
    """A kind of client. It sends `first` immediately and `dripped` byte by byte; if `reads` is set, it reads the
    response byte by byte. STYLESHEET in `first` is replaced with the address of the portal's stylesheet."""

    first: bytes
    dripped: bytes = b""
    reads: bool = False


def post(path: str, content_type: str, length: int) -> bytes:
    """Return the headers for posting a form, including a CSRF cookie: without one, Django doesn't read the body."""
    lines = (f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Type: {content_type}", f"Content-Length: {length}")
    return "\r\n".join((*lines, f"Cookie: csrftoken={'a' * 32}", "", "")).encode()


STYLESHEET = b"/a-stylesheet"  # the largest file that strangers can get
GET_FILE = b"GET " + STYLESHEET + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
URLENCODED = "application/x-www-form-urlencoded"
KINDS = {
    "silence": Kind(b""),
    "headers": Kind(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"X-Slow: a\r\n"),
    "a webhook body": Kind(post(f"/hooks/lamina/{TOKEN}/", "application/json", 50_000), b"a"),
    "a form": Kind(post("/login/", URLENCODED, 50_000), b"a"),
    "a form of 1 MB": Kind(post("/login/", URLENCODED, 1_000_000) + b"a" * 60_000, b"a"),
    "a form with a file": Kind(post("/login/", "multipart/form-data; boundary=x", 50_000), b"a"),
    "answers hardly read": Kind(GET_FILE * 200, reads=True),
    "a closing that never comes": Kind(GET_FILE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), reads=True),
}


class Drip:
    """`count` connections of one `kind` to a server on loopback, run by one thread."""

    def __init__(self, port: int, kind: Kind, count: int) -> None:
        self.kind = kind
        page = requests.get(f"http://127.0.0.1:{port}/login/", timeout=60).text
        address = re.search(r'href="(/static/[^"]+\.css)"', page)
        assert address is not None, page
        self.first = kind.first.replace(STYLESHEET, address[1].encode())
        self.sockets = [self._open(port) for _ in range(count)]
        if kind.reads:
            wait_until(lambda: all(map(has_something, self.sockets)), "each to get the start of its response", 60)
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self._drip, daemon=True)
        self.thread.start()

    def _open(self, port: int) -> socket.socket:
        client = socket.socket()
        if self.kind.reads:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_WINDOW)
        client.settimeout(10)
        client.connect(("127.0.0.1", port))
        client.sendall(self.first)
        client.setblocking(False)
        return client

    def _drip(self) -> None:
        turn = 0
        while not self.is_over.wait(EVERY_SECONDS):
            for client in self.sockets:
                try:
                    if self.kind.reads:
                        client.recv(1)
                    elif self.kind.dripped:
                        client.send(self.kind.dripped[turn % len(self.kind.dripped) :][:1])
                except OSError:
                    continue  # the server has closed the connection
            turn += 1

    def close(self) -> None:
        self.is_over.set()
        self.thread.join()
        for client in self.sockets:
            client.close()


def has_something(client: socket.socket) -> bool:
    return bool(select.select([client], [], [], 0)[0])


@contextmanager
def slow_clients(port: int, kind: str, count: int) -> Iterator[Drip]:
    with ExitStack() as stack:
        drip = Drip(port, KINDS[kind], count)
        stack.callback(drip.close)
        yield drip


def answers_in_time(url: str, count: int = ASKED, seconds: float = BOUND_SECONDS) -> list[float]:
    """Send `count` requests to url/healthz, each on a new connection; return how long each response that arrived within
    `seconds` took."""
    taken = []
    for _ in range(count):
        begun = time.monotonic()
        try:
            requests.get(f"{url}/healthz", timeout=seconds)
        except requests.RequestException:
            continue
        if (took := time.monotonic() - begun) <= seconds:
            taken.append(took)
    return taken
