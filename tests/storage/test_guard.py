"""Which addresses the guard refuses, checked with a decoy that must not be contacted."""

import ipaddress
import socket
from pathlib import Path

import pytest
from pytest_django import Settings
from urllib3.util import connection

from runs.storage import guard
from runs.storage.fetch import FetchFailed, FetchRefused, check_url, fetch
from runs.storage.guard import is_public
from tests.support.hostile_server import Decoy, HostileServer, fetch_trusted, kept_files
from tests.support.hostile_urls import HOSTILE_URLS
from tests.support.messages import says
from tests.support.second_lookup import PUBLIC, rebind

ANY = 5_000_000  # bytes; used where the limit doesn't matter
PLENTY = 60.0  # seconds; more than enough for anything that arrives or is refused at once


def test_nothing_about_us_is_sent(
    server: HostileServer, monkeypatch: pytest.MonkeyPatch, decoy: Decoy, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{decoy.port}")

    fetch_trusted(f"{server.url}/redirect?to=/a.png", max_bytes=ANY, seconds=PLENTY)

    assert server.hits == ["/redirect?to=/a.png", "/a.png"]
    assert not {"Cookie", "Authorization", "Referer"} & set(server.headers)
    assert server.headers["Accept-Encoding"] == "identity"
    assert not decoy.was_contacted()


@pytest.mark.parametrize(("looks", "url"), HOSTILE_URLS, ids=[looks for looks, _ in HOSTILE_URLS])
def test_a_hostile_link_is_refused_without_any_connection(
    looks: str, url: str, decoy: Decoy, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TRUSTED_FILE_ORIGINS = ["http://127.0.0.1:1"]

    def no_connection(*_: object, **__: object) -> socket.socket:
        raise AssertionError(f"{looks} led to a connection")

    monkeypatch.setattr(connection, "create_connection", no_connection)
    with pytest.raises(FetchRefused) as refused:
        fetch_trusted(url.replace("{port}", str(decoy.port)), max_bytes=ANY, seconds=PLENTY)

    assert refused.value.sentence.endswith((".", "https://"))
    assert not decoy.was_contacted()
    assert kept_files(settings) == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "168.63.129.16",
        "::1",
        "::ffff:127.0.0.1",
        "fd00::1",
        "fec0::1",
        "::7f00:1",
    ],
)
def test_a_harmless_name_with_a_private_address_is_refused(
    address: str, decoy: Decoy, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    answer = [(family, socket.SOCK_STREAM, 6, "", (address, decoy.port))]
    monkeypatch.setattr(guard, "WEB_PORTS", {decoy.port})
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)

    with pytest.raises(FetchRefused, check=says("private_address")):
        fetch_trusted(f"https://pictures.example.com:{decoy.port}/a.png", max_bytes=ANY, seconds=PLENTY)

    assert not decoy.was_contacted()


def test_a_name_that_changes_its_address_is_connected_to_the_one_that_was_checked(
    decoy: Decoy, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = rebind(monkeypatch, decoy.port)
    with pytest.raises(FetchFailed):
        fetch_trusted(f"https://rebinding.example.com:{decoy.port}/", max_bytes=ANY, seconds=PLENTY)

    assert asked == [(PUBLIC, decoy.port)]
    assert not decoy.was_contacted()


def test_only_exactly_the_trusted_origin_is_exempt(server: HostileServer, decoy: Decoy) -> None:
    host = server.url.removeprefix("http://")
    for url in (
        f"https://{host}/a.png",  # another scheme
        f"http://127.0.0.1:{decoy.port}/a.png",  # another port
        f"http://localhost:{server.server_address[1]}/a.png",  # another name
        f"http://{host}@127.0.0.1:{decoy.port}/a.png",
        f"{server.url}.example.com/a.png",
        f"{server.url}0/a.png",
    ):
        with pytest.raises(FetchRefused):
            fetch_trusted(url, max_bytes=ANY, seconds=PLENTY)

    assert server.hits == []
    assert not decoy.was_contacted()


def test_a_trusted_origin_is_not_a_prefix() -> None:
    trusted = ["http://files.example.com"]
    check_url("http://files.example.com/a.png", trusted)
    check_url("http://FILES.example.com?a.png", trusted)
    for url in (
        "http://files.example.com.evil.test/",
        "http://files.example.com:8080/",
        "http://files.example.company",
    ):
        with pytest.raises(FetchRefused, check=says("not_https")):
            check_url(url, trusted)


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:{port}/", "https://127.0.0.1:{port}/", "//[::1]:{port}/", "file:///x"]
)
def test_a_redirect_to_a_private_address_is_refused(target: str, server: HostileServer, decoy: Decoy) -> None:
    with pytest.raises(FetchRefused):
        fetch_trusted(
            f"{server.url}/redirect?to={target.replace('{port}', str(decoy.port))}", max_bytes=ANY, seconds=PLENTY
        )

    assert len(server.hits) == 1
    assert not decoy.was_contacted()


def test_redirects_end_after_five(server: HostileServer) -> None:
    with pytest.raises(FetchRefused, check=says("too_many_redirects")):
        fetch_trusted(f"{server.url}/loop", max_bytes=ANY, seconds=PLENTY)

    assert len(server.hits) == 6


def test_the_body_of_a_redirect_is_not_read(server: HostileServer) -> None:
    fetched = fetch_trusted(f"{server.url}/redirect-with-endless-body", max_bytes=ANY, seconds=PLENTY)
    assert fetched.path.read_bytes() == server.files["/a.png"]


def test_pasted_links_are_not_trusted_like_those_from_lamina(
    server: HostileServer, settings: Settings, decoy: Decoy
) -> None:
    """If pasted links were trusted, members could read files from a store in the portal's own network."""
    settings.TRUSTED_FILE_ORIGINS = []
    for url in (f"{server.url}/a.png", f"{server.url}/redirect?to=http://127.0.0.1:{decoy.port}/"):
        with pytest.raises(FetchRefused):
            fetch(url, max_bytes=ANY, seconds=PLENTY, trusted=settings.TRUSTED_FILE_ORIGINS)
        with pytest.raises(FetchRefused):
            fetch(url, max_bytes=ANY, seconds=PLENTY)

    assert server.hits == []
    assert not decoy.was_contacted()


def test_the_addresses_of_this_machine_are_refused_even_when_they_are_public(monkeypatch: pytest.MonkeyPatch) -> None:
    assert guard._is_own(ipaddress.ip_address("127.0.0.1"))
    assert is_public("9.9.9.9")
    monkeypatch.setattr(guard, "_is_own", lambda ip: str(ip) == "9.9.9.9")
    with pytest.raises(FetchRefused, check=says("private_address")):
        fetch_trusted("https://9.9.9.9/", max_bytes=ANY, seconds=PLENTY)
