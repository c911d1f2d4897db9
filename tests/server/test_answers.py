"""How the web server sends responses to slow clients. As in `test_requests`, the server has only one thread."""

import select
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.server.servers import Serve, Server, read_answer, read_to_end, request
from tests.support.processes import TIMEOUT_SECONDS, children_of, wait_until

LARGE = 30_000_000
SMALL_WINDOW = 4096
# However busy the machine is, the server mustn't disconnect a client while a test sends it other requests.
PATIENT = "worker.STALLED_SECONDS = 60.0"
STALLED_SECONDS = 4.0
IMPATIENT = f"worker.STALLED_SECONDS = {STALLED_SECONDS}"


@pytest.fixture
def server(serve: Serve) -> Server:
    return serve(PATIENT)


@pytest.mark.parametrize("path", [f"/page/{LARGE}", f"/file/{LARGE}"])
def test_a_client_that_does_not_read_blocks_nobody_and_can_read_all_later(server: Server, path: str) -> None:
    with server.connect(SMALL_WINDOW) as client:
        client.sendall(request(path) + request("/refuse"))
        assert client.recv(1) == b"H"  # the response has started
        for _ in range(3):
            assert server.get("/refuse") == "refused"
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1_000_000)
        head, body = read_answer(client)
        assert head.startswith("TTP/1.1 200 ")
        assert len(body) == LARGE
        assert read_answer(client)[1] == b"refused"


def test_a_client_that_does_not_read_a_streamed_response_blocks_nobody(server: Server) -> None:
    with server.connect(SMALL_WINDOW) as client:
        client.sendall(request("/pieces/2000"))
        assert client.recv(1) == b"H"
        for _ in range(3):
            assert server.get("/refuse") == "refused"


def test_clients_that_never_read_are_disconnected(serve: Serve) -> None:
    server = serve(IMPATIENT)
    clients = [server.connect(SMALL_WINDOW) for _ in range(3)]
    try:
        for client, path in zip(clients, (f"/page/{LARGE}", f"/file/{LARGE}", "/pieces/2000"), strict=True):
            client.sendall(request(path))
            assert client.recv(1) == b"H"
        wait_until(lambda: all(map(is_reset, clients)), "the server to disconnect the clients")
    finally:
        for client in clients:
            client.close()
    assert server.get("/refuse") == "refused"


def is_reset(client: socket.socket) -> bool:
    """Return whether the server has reset `client`, without reading from it."""
    poll = select.poll()
    poll.register(client, select.POLLHUP | select.POLLERR)
    return bool(poll.poll(0))


def test_slow_downloads_continue(serve: Serve) -> None:
    """The downloads take three times as long as a client may go without reading."""
    server = serve(IMPATIENT)
    with server.connect() as file, server.connect() as page, server.connect() as pieces:
        came = {file: 0, page: 0, pieces: 0}
        for client, path in zip(came, (f"/file/{LARGE}", f"/page/{LARGE}", "/pieces/450"), strict=True):
            client.sendall(request(path, "Connection: close"))
        until = time.monotonic() + 3 * STALLED_SECONDS
        while time.monotonic() < until:
            time.sleep(0.2)  # this is what makes the clients slow
            for client in came:
                came[client] += len(client.recv(65536))
        with ThreadPoolExecutor(len(came)) as threads:  # in parallel, so that none stalls while another is read
            rests = list(threads.map(read_to_end, came))
    for so_far, rest in zip(came.values(), rests, strict=True):
        assert so_far + len(rest) > 450 * 65536 * 0.99


def test_a_client_that_does_not_close_blocks_nobody(server: Server) -> None:
    clients = [server.connect() for _ in range(20)]
    try:
        for client in clients:
            client.sendall(request("/refuse", "Connection: close"))
        begun = time.monotonic()
        assert server.get("/refuse", 20) == "refused"
        assert time.monotonic() - begun < 15  # waiting 2 s for each of 20 clients would take 40
        for client in clients:
            assert read_answer(client)[1] == b"refused"
            assert read_to_end(client) == b""
    finally:
        for client in clients:
            client.close()


def test_a_stopping_server_finishes_what_it_has_started(serve: Serve) -> None:
    server = serve(threads=2)
    with server.connect() as busy, server.connect() as kept, server.connect() as idle, server.connect() as silent:
        for client in (kept, idle):
            client.sendall(request("/refuse"))
            assert read_answer(client)[1] == b"refused"
        busy.sendall(request("/hold"))
        server.process.send_signal(signal.SIGTERM)
        head = ""
        while "Connection: close" not in head:  # the server is stopping, but still responds on open connections
            kept.sendall(request("/refuse"))
            head, body = read_answer(kept)
            assert body == b"refused"
        idle.sendall(request("/release"))
        assert read_answer(idle)[1] == b"let go"
        assert read_answer(busy)[1] == b"released"
        assert read_to_end(silent) == b""
    assert server.process.wait(TIMEOUT_SECONDS) == 0


def test_a_stopping_server_waits_for_nobody_for_long(serve: Serve) -> None:
    """A graceful stop takes at most 8 seconds, or 2 seconds if the server is idle."""
    server = serve()
    with server.connect() as kept, server.connect() as silent:
        kept.sendall(request("/refuse"))
        assert read_answer(kept)[1] == b"refused"
        server.process.send_signal(signal.SIGTERM)
        assert read_to_end(kept) == read_to_end(silent) == b""
        assert server.process.wait(TIMEOUT_SECONDS) == 0


def test_it_leaves_https_to_a_proxy(serve: Serve) -> None:
    with pytest.raises(AssertionError, match="use a proxy"):
        serve("certfile = keyfile = __file__")


def test_two_workers_share_the_connections(serve: Serve) -> None:
    """Fifty browsers with persistent connections connect at once."""
    server = serve(workers=2, threads=8)
    wait_until(lambda: len(children_of(server.process.pid)) == 2, "both workers")
    wait_until(lambda: len({server.get("/pid") for _ in range(10)}) == 2, "both workers to answer")
    clients = [server.connect() for _ in range(50)]
    try:
        found: list[bytes] = []

        def ask(client: socket.socket) -> None:
            client.sendall(request("/pid"))
            found.append(read_answer(client)[1])

        threads = [threading.Thread(target=ask, args=[client]) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        for client in clients:
            client.close()
    counts = sorted(found.count(pid) for pid in set(found))
    assert sum(counts) == 50
    assert counts[0] >= 15, counts
