"""A server that sends exactly what a test tells it to, byte by byte, for responses that the sandbox never sends."""

import json
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

KEY = "lma_secret_key_for_tests"


@dataclass
class Asked:
    """A request as the server received it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Scripted:
    """A scripted server. `answer(…)` sets the response to all further requests; a test that sets `act` handles each
    connection itself."""

    url: str
    asked: list[Asked] = field(default_factory=list)
    act: Callable[[socket.socket], None] = lambda connection: None
    stopping: threading.Event = field(default_factory=threading.Event)

    def answer(self, status: int = 200, body: Any = b"", **headers: str) -> None:
        """Set the response. A body of bytes or text is sent unchanged, anything else as JSON. In header names, write _
        for -."""
        content = (
            body
            if isinstance(body, bytes)
            else body.encode("utf-8", "surrogatepass")
            if isinstance(body, str)
            else dump(body)
        )
        lines = [f"HTTP/1.1 {status} Word", f"Content-Length: {len(content)}", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + content)

    def send(self, raw: bytes) -> None:
        self.act = lambda connection: connection.sendall(raw)

    @property
    def last(self) -> Asked:
        return self.asked[-1]


def dump(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", errors="surrogatepass")


def storable(value: Any) -> None:
    """Check that PostgreSQL's jsonb accepts `value`: no NUL, no lone surrogate, no NaN."""
    text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    text.encode()
    assert "\\u0000" not in text


def read_request(connection: socket.socket) -> Asked | None:
    reader = connection.makefile("rb")
    first = reader.readline().decode("latin-1").split()
    if len(first) < 2:
        return None
    headers: dict[str, str] = {}
    while line := reader.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Asked(first[0], first[1], headers, reader.read(int(headers.get("content-length", 0))))


def serve(listener: socket.socket, scripted: Scripted) -> None:
    while not scripted.stopping.is_set():
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            try:
                if asked := read_request(connection):
                    scripted.asked.append(asked)
                    scripted.act(connection)
            except OSError:
                continue
