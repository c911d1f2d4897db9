"""Calls are limited in time and size, whatever the other side does, and afterwards we know whether the request was
sent."""

import contextlib
import gzip
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from runs.lamina.transport import BODY_BYTES, NoReply, Reply, Timeouts, exchange
from tests.lamina.scripted import Scripted
from tests.support.processes import wait_until

# In the first two, one limit ends a call within a second, and the other wouldn't end it for a minute. Most of the
# servers in these tests never end a call themselves.
BRIEF_READ = Timeouts(read=0.4, total=60)
BRIEF_TOTAL = Timeouts(read=60, total=0.8)
LONG = Timeouts(read=60, total=60)
LATE_SECONDS = 30.0  # a call that took less time was ended by the shorter limit


def ask(url: str, timeouts: Timeouts = LONG, body: bytes | None = b"{}") -> Reply | NoReply:
    return exchange("POST", f"{url}/x", headers={"Accept-Encoding": "gzip"}, body=body, timeouts=timeouts)


def drip(raw: bytes, stop: threading.Event) -> Callable[[socket.socket], None]:
    """Send a byte of `raw` every 0.1 s, for far longer than the total limit; then send nothing."""

    def act(connection: socket.socket) -> None:
        for byte in raw:
            if stop.wait(0.1):
                return
            connection.sendall(bytes([byte]))
        stop.wait()

    return act


def test_silence_ends_with_the_read_timeout(scripted: Scripted) -> None:
    scripted.act = drip(b"", scripted.stopping)
    began = time.monotonic()
    reply = ask(scripted.url, BRIEF_READ)
    assert reply == NoReply(was_sent=True, is_timeout=True)
    assert time.monotonic() - began < LATE_SECONDS
    scripted.stopping.set()


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 500,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 50,
    ],
)
def test_dripped_headers_end_with_the_total(scripted: Scripted, raw: bytes) -> None:
    scripted.act = drip(raw, scripted.stopping)
    began = time.monotonic()
    assert ask(scripted.url, BRIEF_TOTAL) == NoReply(was_sent=True, is_timeout=True)
    assert 0.7 < time.monotonic() - began < LATE_SECONDS
    scripted.stopping.set()


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5000\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n1000\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n",
        b"\r\n",
    ],
)
def test_a_dripped_body_ends_with_the_total(scripted: Scripted, head: bytes) -> None:
    drop_by_drop = drip(b"1" * 1000, scripted.stopping)

    def act(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + head)
        drop_by_drop(connection)

    scripted.act = act
    began = time.monotonic()
    reply = ask(scripted.url, BRIEF_TOTAL)
    assert isinstance(reply, Reply)
    assert not reply.is_whole
    assert 0.7 < time.monotonic() - began < LATE_SECONDS
    scripted.stopping.set()


def test_a_server_that_never_reads_does_not_hold_the_sender() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        began = time.monotonic()
        reply = ask(f"http://127.0.0.1:{listener.getsockname()[1]}", BRIEF_TOTAL, b"x" * 30_000_000)
    assert isinstance(reply, NoReply)
    assert reply.was_sent
    assert time.monotonic() - began < LATE_SECONDS


def test_a_handshake_that_never_ends_has_sent_nothing(scripted: Scripted) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        held: list[socket.socket] = []

        def accept() -> None:
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                held.append(connection)
                while connection.recv(1) and not scripted.stopping.wait(0.05):
                    connection.sendall(b"\x16")

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        began = time.monotonic()
        reply = ask(f"https://127.0.0.1:{listener.getsockname()[1]}", BRIEF_TOTAL)
        assert isinstance(reply, NoReply)
        assert not reply.was_sent
        assert time.monotonic() - began < LATE_SECONDS
        scripted.stopping.set()
        for connection in held:
            connection.close()


def test_tls_that_is_refused_has_sent_nothing(scripted: Scripted) -> None:
    reply = ask(scripted.url.replace("http:", "https:"))
    assert isinstance(reply, NoReply)
    assert not reply.was_sent


def test_a_body_too_large_is_cut(scripted: Scripted) -> None:
    scripted.answer(200, b" " * (BODY_BYTES + 1_000_000))
    reply = ask(scripted.url)
    assert isinstance(reply, Reply)
    assert not reply.is_whole
    assert len(reply.body) <= BODY_BYTES + 100_000


def test_a_compressed_body_is_unpacked_and_a_bomb_is_not(scripted: Scripted) -> None:
    scripted.answer(200, gzip.compress(b'{"a": 1}'), Content_Encoding="gzip")
    reply = ask(scripted.url)
    assert isinstance(reply, Reply)
    assert (reply.body, reply.is_whole) == (b'{"a": 1}', True)
    scripted.answer(200, gzip.compress(bytes(200_000_000), 1), Content_Encoding="gzip")
    reply = ask(scripted.url)
    assert isinstance(reply, Reply)
    assert not reply.is_whole
    assert len(reply.body) <= BODY_BYTES + 100_000
    scripted.answer(200, b"no gzip at all", Content_Encoding="gzip")
    reply = ask(scripted.url)
    assert isinstance(reply, Reply)
    assert not reply.is_whole


@pytest.mark.parametrize(
    ("raw", "is_whole"),
    [
        (b"Content-Length: 10\r\n\r\n12345", False),
        (b"Content-Length: 5\r\n\r\n12345", True),
        (b"Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n", False),
        (b"Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n", True),
        (b"\r\n12345", True),
        (b"Content-Length: 0\r\n\r\n", True),
        (b"Content-Length: nonsense\r\n\r\n12345", True),
    ],
)
def test_a_body_that_breaks_off_is_not_whole(scripted: Scripted, raw: bytes, is_whole: bool) -> None:
    scripted.send(b"HTTP/1.1 200 OK\r\n" + raw)
    reply = ask(scripted.url)
    assert isinstance(reply, Reply)
    assert reply.is_whole is is_whole


def open_connections(url: str) -> int:
    """Count our open connections to `url`, including those that the other side has closed but we haven't."""
    held = {"01", "08"}  # ESTABLISHED, CLOSE_WAIT
    port = f":{urlsplit(url).port:04X}"
    rows = [line.split() for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]]
    return sum(1 for row in rows if row[2].endswith(port) and row[3] in held)


def running_timers() -> list[threading.Timer]:
    """Return the threads of this process that are timers for calls."""
    timers = [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
    return [timer for timer in timers if timer.function.__module__ == exchange.__module__]


def test_every_call_uses_its_own_connection_and_leaves_none_open(scripted: Scripted) -> None:
    scripted.answer(200, b"{}")

    for _ in range(20):
        ask(scripted.url)

    assert len(scripted.asked) == 20  # the server reads one request from each connection
    assert open_connections(scripted.url) == 0
    # A cancelled timer's thread ends in a moment; one that is still running would take a minute.
    wait_until(lambda: not running_timers(), "the timers of the calls to end", LATE_SECONDS)
