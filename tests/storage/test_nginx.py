"""nginx in front of the portal, set up as in docs/deploy: nginx sends the files, and the portal decides who may
see them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from runs.models import Member, OutputFile
from tests.support.factories import make_kept, make_run
from tests.support.nginx import SAME, prepare
from tests.support.processes import free_port
from tests.support.proxies import running, signed_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def nginx(live_server: LiveServer, settings: Settings, tmp_path: Path) -> Iterator[str]:
    """Start nginx in front of the live server, and yield its address."""
    settings.PORTAL_ACCEL_PREFIX = "/kept-files/"
    port, folder = free_port(), tmp_path / "nginx"
    folder.mkdir()
    url = f"http://127.0.0.1:{port}"
    with running(prepare(folder, port, live_server.url, Path(settings.MEDIA_ROOT)), url, folder / "error.log"):
        yield url


@pytest.fixture
def kept(alice: Member) -> OutputFile:
    return make_kept(make_run(alice, status="completed"))


def test_nginx_sends_what_the_portal_would(
    nginx: str, live_server: LiveServer, settings: Settings, alice: Member, kept: OutputFile
) -> None:
    assert kept.file is not None
    cookies = signed_in(alice)
    for path in (kept.file.original_url, kept.file.card_url):
        by_nginx = requests.get(nginx + path, cookies=cookies, timeout=60)
        settings.PORTAL_ACCEL_PREFIX = ""
        by_portal = requests.get(live_server.url + path, cookies=cookies, timeout=60)
        settings.PORTAL_ACCEL_PREFIX = "/kept-files/"

        assert by_nginx.headers["Server"].startswith("nginx")
        assert (by_nginx.status_code, by_nginx.content) == (200, by_portal.content)
        assert {name: by_nginx.headers.get(name) for name in SAME} == {
            name: by_portal.headers.get(name) for name in SAME
        }


def test_what_a_browser_has_is_not_sent_again(nginx: str, alice: Member, kept: OutputFile) -> None:
    assert kept.file is not None
    cookies, address = signed_in(alice), nginx + kept.file.original_url
    etag = requests.get(address, cookies=cookies, timeout=60).headers["ETag"]

    again = requests.get(address, cookies=cookies, headers={"If-None-Match": etag}, timeout=60)

    assert (again.status_code, again.content) == (304, b"")


def test_a_video_can_be_sought(nginx: str, alice: Member, kept: OutputFile) -> None:
    assert kept.file is not None
    cookies, address = signed_in(alice), nginx + kept.file.original_url
    whole = requests.get(address, cookies=cookies, timeout=60).content

    part = requests.get(address, cookies=cookies, headers={"Range": "bytes=10-19"}, timeout=60)

    assert (part.status_code, part.content) == (206, whole[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(whole)}"


def test_nobody_else_gets_it(nginx: str, bob: Member, kept: OutputFile) -> None:
    assert kept.file is not None
    address = nginx + kept.file.original_url

    assert requests.get(address, cookies=signed_in(bob), timeout=60).status_code == 404
    assert requests.get(address, timeout=60, allow_redirects=False).status_code == 302
    by_its_place = requests.get(f"{nginx}/kept-files/{kept.file.file.name}", cookies=signed_in(bob), timeout=60)
    assert by_its_place.status_code == 404
