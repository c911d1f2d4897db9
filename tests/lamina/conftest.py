"""Fixtures: a client, and a server that sends exactly what a test tells it to."""

import socket
import threading
from collections.abc import Iterator

import pytest

from runs.lamina.client import LaminaClient
from tests.lamina.scripted import KEY, Scripted, serve
from tests.support.processes import free_port


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = Scripted(f"http://127.0.0.1:{listener.getsockname()[1]}")
    thread = threading.Thread(target=serve, args=(listener, server), daemon=True)
    thread.start()
    yield server
    server.stopping.set()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(60)


@pytest.fixture
def client(scripted: Scripted) -> LaminaClient:
    return LaminaClient(scripted.url, KEY)


@pytest.fixture
def nobody() -> str:
    """Return the URL of a port that nothing is listening on."""
    return f"http://127.0.0.1:{free_port()}"
