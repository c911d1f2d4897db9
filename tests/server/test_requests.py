"""How the web server handles requests that arrive in pieces, back to back or much too slowly, or that are too large.

Every server here has one thread, so a test notices if a client blocks it.
"""

import select
import socket
import time
from contextlib import suppress

import pytest

from tests.server.servers import Serve, Server, read_answer, read_to_end, request
from tests.support.processes import wait_until

SLACK_SECONDS = 15.0  # enough for a busy machine


@pytest.fixture
def server(serve: Serve) -> Server:
    return serve()


def post(path: str, size: int, *headers: str) -> bytes:
    return request(path, *headers, f"Content-Length: {size}", method="POST")


def test_a_request_in_pieces_is_answered(server: Server) -> None:
    with server.connect() as client:
        whole = post("/read", 10) + b"0123456789"
        for n in range(0, len(whole), 7):
            client.sendall(whole[n : n + 7])
        assert read_answer(client)[1] == b"read 10"


def test_requests_on_one_connection_are_answered_in_order(server: Server) -> None:
    with server.connect() as client:
        client.sendall(post("/read", 3) + b"abc" + request("/refuse") + post("/read", 70_000) + b"x" * 70_000)
        client.sendall(request("/page/5") + request("/refuse", "Transfer-Encoding: chunked"))
        for piece in (b"5\r\nhel", b"lo\r\n0\r\n", b"\r\n", request("/page/2")):
            client.sendall(piece)
        answers = [read_answer(client) for _ in range(6)]
    assert [body for _, body in answers] == [b"read 3", b"refused", b"read 70000", b"xxxxx", b"refused", b"xx"]
    assert all("Connection: keep-alive" in head for head, _ in answers)


@pytest.mark.parametrize("size", [5, 60_000, 2_000_000])
def test_a_client_that_asks_before_sending_gets_one_continue(server: Server, size: int) -> None:
    with server.connect() as client:
        client.sendall(post("/read", size, "Expect: 100-continue"))
        assert read_answer(client)[0].startswith("HTTP/1.1 100 ")
        client.sendall(b"x" * size)
        head, body = read_answer(client)
    assert head.startswith("HTTP/1.1 200 ")
    assert body == f"read {size}".encode()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (request("/read", "Transfer-Encoding: chunked", method="POST") + b"20000\r\n", "411 Length Required"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 40_000, "431 Request Header Fields Too Large"),
        (b"GET / HTTP/1.1\nHost: 127.0.0.1\n\n", "400 Bad Request"),
        (request("/read", "Content-Length: 1", "Content-Length: 2", method="POST"), "400 Bad Request"),
    ],
)
def test_what_cannot_be_served_is_refused_at_once(server: Server, sent: bytes, status: str) -> None:
    with server.connect() as client:
        client.sendall(sent)
        head, _ = read_answer(client)
        assert head.startswith(f"HTTP/1.1 {status}\r\n")
        assert "Connection: close" in head
        if not status.startswith("400"):  # gunicorn's own
            assert "X-Content-Type-Options: nosniff" in head
            assert "Content-Security-Policy: default-src 'none'" in head
        assert read_to_end(client) == b""
    assert server.get("/refuse") == "refused"


def drip(client: socket.socket, data: bytes, every_seconds: float) -> bytes:
    """Send `data` byte by byte until the server sends something; return everything that it sends."""
    for n in range(len(data)):
        if select.select([client], [], [], every_seconds)[0]:
            break
        client.sendall(data[n : n + 1])
    return read_to_end(client)


@pytest.mark.parametrize(
    ("first", "seconds"),
    [(request("/")[:-2], 1.5), (post("/read", 60_000), 3.0), (post("/read", 60_000, "Expect: 100-continue"), 3.0)],
    ids=["headers", "body", "body that was asked for"],
)
def test_a_dripping_client_is_disconnected_and_blocks_nobody(server: Server, first: bytes, seconds: float) -> None:
    begun = time.monotonic()  # a moment before the server starts counting
    with server.connect() as client:
        client.sendall(first)
        if b"Expect" in first:
            read_answer(client)
        assert server.get("/refuse") == "refused"
        came = drip(client, b"x" * 10_000, 0.1)
    assert came.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert seconds <= time.monotonic() - begun <= seconds + SLACK_SECONDS


def test_a_silent_client_is_disconnected_without_a_response(server: Server) -> None:
    with server.connect() as client:
        assert server.get("/refuse") == "refused"
        begun = time.monotonic()
        assert read_to_end(client) == b""
    assert time.monotonic() - begun <= 1.5 + SLACK_SECONDS


def test_a_kept_connection_is_closed_when_nothing_follows(server: Server) -> None:
    with server.connect() as client:
        begun = time.monotonic()
        client.sendall(request("/refuse"))
        assert read_answer(client)[1] == b"refused"
        assert read_to_end(client) == b""
    assert 3 <= time.monotonic() - begun <= 3 + SLACK_SECONDS


MULTIPART = "Content-Type: multipart/form-data; boundary=x"


def test_a_slow_upload_blocks_nobody_and_is_stopped_below_the_minimum_rate(server: Server) -> None:
    """The initial allowance is one second; at 2,000 bytes a second, a tenth of the minimum rate, the data received adds
    little to it."""
    with server.connect() as client:
        client.sendall(post("/read", 1_000_000, MULTIPART))
        begun = time.monotonic()
        while not select.select([client], [], [], 0.1)[0]:
            client.sendall(b"x" * 200)
            assert server.get("/refuse") == "refused"
            assert time.monotonic() - begun < SLACK_SECONDS
        assert read_to_end(client) == b""


def test_a_slow_upload_above_the_rate_continues(server: Server) -> None:
    """The upload takes five seconds, which is far longer than the initial allowance; most of this time is spent
    waiting."""
    with server.connect() as client:
        size = 500_000
        client.sendall(post("/read", size, MULTIPART))
        # Send half of the body at once, which lets the client pause for a few seconds afterwards.
        client.sendall(b"x" * (size // 2))
        for _ in range(25):
            assert not select.select([client], [], [], 0.2)[0]
            client.sendall(b"x" * (size // 50))
        assert read_answer(client)[1] == f"read {size}".encode()


def test_a_large_body_that_is_not_an_upload_has_a_total_deadline(server: Server) -> None:
    """The rate doesn't matter; here, it is 200 KB a second."""
    with server.connect() as client:
        begun = time.monotonic()
        client.sendall(post("/read", 2_000_000, "Content-Type: application/json"))
        while not select.select([client], [], [], 0.1)[0]:
            client.sendall(b"x" * 20_000)
        assert read_to_end(client) == b""
    assert 3 <= time.monotonic() - begun <= 3 + SLACK_SECONDS


def test_a_refused_body_is_not_read_but_the_refusal_arrives(server: Server) -> None:
    with server.connect() as client:
        client.sendall(post("/refuse", 50_000_000, MULTIPART))
        with suppress(BrokenPipeError, ConnectionResetError):  # the server leaves the rest unread
            for _ in range(800):
                client.sendall(b"x" * 65_536)
        head, body = read_answer(client)
    assert "Connection: close" in head
    assert body == b"refused"


def test_an_unread_body_does_not_become_the_next_request(server: Server) -> None:
    with server.connect() as client:
        client.sendall(post("/refuse", 30) + b"GET /page/5 HTTP/1.1\r\nHost: a\r\n"[:30] + request("/pid"))
        assert read_answer(client)[1] == b"refused"
        assert read_answer(client)[1] == str(server.get("/pid")).encode()


@pytest.mark.parametrize("first", [b"", b"GET"])
def test_a_full_server_disconnects_silent_clients_first(serve: Serve, first: bytes) -> None:
    server = serve("worker_connections = 20")
    silent = [server.connect() for _ in range(60)]
    try:
        for client in silent:
            with suppress(OSError):  # the connection is already closed
                client.sendall(first)
        assert server.get("/refuse") == "refused"
        wait_until(
            lambda: sum(bool(select.select([c], [], [], 0)[0]) for c in silent) >= 40, "most of them to be closed"
        )
        assert server.get("/refuse") == "refused"
    finally:
        for client in silent:
            client.close()
