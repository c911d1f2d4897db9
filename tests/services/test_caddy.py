"""Caddy in front, set up exactly as in the README, but without https."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from pytest_django.live_server_helper import LiveServer

from runs.models import Member, OutputFile
from tests.conftest import PASSWORD
from tests.factories import make_kept, make_run
from tests.processes import free_port
from tests.services.proxies import binary, blocks_of_the_readme, running, signed_in
from tests.services.test_nginx import SAME

pytestmark = pytest.mark.django_db(transaction=True)

FRAME = """{{
    admin off
    auto_https off
    storage file_system {folder}
}}
{block}
"""
BUFFERS = (2, 6, 4)  # the first version that has `request_buffers`


def block(program: str, address: str, upstream: str) -> str:
    """The README's Caddyfile with this test's addresses, and its last option if Caddy is new enough."""
    ours = blocks_of_the_readme("caddyfile", 1)
    assert all(
        part in ours for part in ("portal.example.com {", "reverse_proxy 127.0.0.1:8000 {", "# request_buffers ")
    )
    ours = ours.replace("portal.example.com {", f"{address} {{")
    ours = ours.replace("127.0.0.1:8000", upstream.removeprefix("http://"))
    version = re.search(r"(\d+)\.(\d+)\.(\d+)", subprocess.check_output([program, "version"], text=True))
    assert version is not None
    return (
        ours.replace("# request_buffers ", "request_buffers ") if tuple(map(int, version.groups())) >= BUFFERS else ours
    )


def prepare(folder: Path, port: int, upstream: str) -> list[str]:
    """Write a configuration to `folder`; returns the command that starts Caddy on `port` in front of `upstream`."""
    program, config = binary("caddy", "caddy"), folder / "Caddyfile"
    config.write_text(FRAME.format(folder=folder, block=block(program, f"http://127.0.0.1:{port}", upstream)))
    return [program, "run", "--config", str(config), "--adapter", "caddyfile"]


@pytest.fixture
def caddy(live_server: LiveServer, tmp_path: Path) -> Iterator[str]:
    """Address of a Caddy in front of the live server."""
    port, folder = free_port(), tmp_path / "caddy"
    folder.mkdir()
    url = f"http://127.0.0.1:{port}"
    with running(prepare(folder, port, live_server.url), url, folder / "log"):
        yield url


@pytest.fixture
def kept(alice: Member) -> OutputFile:
    return make_kept(make_run(alice, status="completed"))


def test_caddy_passes_on_what_the_portal_sends(
    caddy: str, live_server: LiveServer, alice: Member, kept: OutputFile
) -> None:
    assert kept.file is not None
    cookies = signed_in(alice)
    for path in (kept.file.original_url, kept.file.card_url):
        by_caddy = requests.get(caddy + path, cookies=cookies, timeout=10)
        by_portal = requests.get(live_server.url + path, cookies=cookies, timeout=10)

        assert "Caddy" in by_caddy.headers["Server"]
        assert (by_caddy.status_code, by_caddy.content) == (200, by_portal.content)
        assert {name: by_caddy.headers.get(name) for name in SAME} == {
            name: by_portal.headers.get(name) for name in SAME
        }


def test_a_film_can_be_sought(caddy: str, alice: Member, kept: OutputFile) -> None:
    assert kept.file is not None
    cookies, address = signed_in(alice), caddy + kept.file.original_url
    whole = requests.get(address, cookies=cookies, timeout=10).content

    part = requests.get(address, cookies=cookies, headers={"Range": "bytes=10-19"}, timeout=10)

    assert (part.status_code, part.content) == (206, whole[10:20])


def test_people_sign_in(caddy: str, alice: Member) -> None:
    with requests.Session() as browser:
        browser.get(f"{caddy}/login/", timeout=10).raise_for_status()
        form = {"username": alice.email, "password": PASSWORD, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        browser.post(f"{caddy}/login/", form, timeout=10).raise_for_status()
        assert browser.get(f"{caddy}/history/", allow_redirects=False, timeout=10).status_code == 200


def test_nobody_else_gets_a_file(caddy: str, bob: Member, kept: OutputFile) -> None:
    assert kept.file is not None
    address = caddy + kept.file.original_url
    assert requests.get(address, cookies=signed_in(bob), timeout=10).status_code == 404
