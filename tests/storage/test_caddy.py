"""Caddy in front of the portal, set up exactly as in docs/deploy, but without https."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from pytest_django.live_server_helper import LiveServer

from runs.models import Member, OutputFile
from tests.support.caddy import prepare
from tests.support.clients import PASSWORD
from tests.support.factories import make_kept, make_run
from tests.support.nginx import SAME
from tests.support.processes import TIMEOUT_SECONDS, free_port
from tests.support.proxies import running, signed_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def caddy(live_server: LiveServer, tmp_path: Path) -> Iterator[str]:
    """Start Caddy in front of the live server, and yield its address."""
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
        by_caddy = requests.get(caddy + path, cookies=cookies, timeout=TIMEOUT_SECONDS)
        by_portal = requests.get(live_server.url + path, cookies=cookies, timeout=TIMEOUT_SECONDS)

        assert "Caddy" in by_caddy.headers["Server"]
        assert (by_caddy.status_code, by_caddy.content) == (200, by_portal.content)
        assert {name: by_caddy.headers.get(name) for name in SAME} == {
            name: by_portal.headers.get(name) for name in SAME
        }


def test_a_video_can_be_sought(caddy: str, alice: Member, kept: OutputFile) -> None:
    assert kept.file is not None
    cookies, address = signed_in(alice), caddy + kept.file.original_url
    whole = requests.get(address, cookies=cookies, timeout=TIMEOUT_SECONDS).content

    part = requests.get(address, cookies=cookies, headers={"Range": "bytes=10-19"}, timeout=TIMEOUT_SECONDS)

    assert (part.status_code, part.content) == (206, whole[10:20])


def test_people_sign_in(caddy: str, alice: Member) -> None:
    with requests.Session() as browser:
        browser.get(f"{caddy}/login/", timeout=TIMEOUT_SECONDS).raise_for_status()
        form = {"username": alice.email, "password": PASSWORD, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        browser.post(f"{caddy}/login/", form, timeout=TIMEOUT_SECONDS).raise_for_status()
        assert browser.get(f"{caddy}/history/", allow_redirects=False, timeout=TIMEOUT_SECONDS).status_code == 200


def test_nobody_else_gets_a_file(caddy: str, bob: Member, kept: OutputFile) -> None:
    assert kept.file is not None
    address = caddy + kept.file.original_url
    assert requests.get(address, cookies=signed_in(bob), timeout=TIMEOUT_SECONDS).status_code == 404
