"""The web server behind nginx and Caddy, set up as in docs/operating.md: the proxies pass on everything that the server
needs."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from tests.server.servers import Serve, Server
from tests.support import caddy, nginx
from tests.support.processes import TIMEOUT_SECONDS, free_port
from tests.support.proxies import running


@pytest.fixture
def server(serve: Serve) -> Server:
    return serve(threads=2)


@pytest.fixture(params=["nginx", "caddy"])
def url(request: pytest.FixtureRequest, server: Server, tmp_path: Path) -> Iterator[str]:
    """The address of a proxy in front of the server."""
    port, folder = free_port(), tmp_path / "proxy"
    folder.mkdir()
    url = f"http://127.0.0.1:{port}"
    with ExitStack() as stack:
        if request.param == "nginx":
            command = nginx.prepare(folder, port, server.url, tmp_path)
        else:
            command = caddy.prepare(folder, port, server.url)
        stack.enter_context(running(command, url, folder / "log"))
        yield url


def test_the_server_learns_who_sent_the_request_and_how(url: str) -> None:
    forged = {"X-Forwarded-Proto": "https"}
    told = requests.get(f"{url}/headers", headers=forged, timeout=TIMEOUT_SECONDS).text.split()
    assert [told[0].partition(":")[0], *told[1:]] == ["127.0.0.1", "127.0.0.1", "http"]


def test_many_requests_and_large_bodies_pass(url: str) -> None:
    with requests.Session() as browser:
        for size in (0, 10, 60_000, 70_000, 3_000_000) * 4:
            assert browser.post(f"{url}/read", data=b"x" * size, timeout=TIMEOUT_SECONDS).text == f"read {size}"
        assert len(browser.get(f"{url}/file/5000000", timeout=TIMEOUT_SECONDS).content) == 5_000_000
        assert len(browser.get(f"{url}/pieces/50", timeout=TIMEOUT_SECONDS).content) == 50 * 65536


def test_the_refusal_of_an_unread_body_arrives(url: str) -> None:
    assert requests.post(f"{url}/refuse", data=b"x" * 3_000_000, timeout=TIMEOUT_SECONDS).text == "refused"
