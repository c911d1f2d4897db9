"""Web servers that stop at the end of the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.servers import Serve, Server


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start a server, by default with one worker that has one thread."""
    started: list[Server] = []

    def start(options: str = "", workers: int = 1, threads: int = 1) -> Server:
        started.append(Server(tmp_path, f"workers = {workers}\nthreads = {threads}\n{options}"))
        return started[-1]

    yield start
    for server in started:
        server.stop()
