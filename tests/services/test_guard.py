"""The guard: which addresses are refused, watched by a decoy that nobody may contact; and how https is spoken."""

import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pytest_django import Settings
from requests_hardened import ip_filter_adapter
from urllib3.util import connection

from runs.services import guard
from runs.services.fetching import FetchFailed, FetchRefused, check_url, fetch
from tests.services.hostile import Decoy, HostileServer, hostile_server, kept_files, picture

ANY = 5_000_000  # bytes


def test_nothing_about_us_travels(
    server: HostileServer, monkeypatch: pytest.MonkeyPatch, decoy: Decoy, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{decoy.port}")

    fetch(f"{server.url}/redirect?to=/a.png", max_bytes=ANY, seconds=5)

    assert server.hits == ["/redirect?to=/a.png", "/a.png"]
    assert not {"Cookie", "Authorization", "Referer"} & set(server.headers)
    assert server.headers["Accept-Encoding"] == "identity"
    assert not decoy.was_contacted()


HOSTILE_URLS = [
    # what it looks like, link with {port} of the decoy
    ("plain http", "http://127.0.0.1:{port}/"),
    ("plain http, public", "http://example.com/a.png"),
    ("loopback", "https://127.0.0.1:{port}/"),
    ("loopback by name", "https://localhost:{port}/"),
    ("loopback by name with a dot", "https://localhost.:{port}/"),
    ("loopback, any of it", "https://127.9.9.9:{port}/"),
    ("address with a dot", "https://127.0.0.1.:{port}/"),
    ("short address", "https://127.1:{port}/"),
    ("one number", "https://2130706433:{port}/"),
    ("octal", "https://0177.0.0.1:{port}/"),
    ("hexadecimal", "https://0x7f.0.0.1:{port}/"),
    ("hexadecimal, one number", "https://0x7f000001:{port}/"),
    ("circled digits", "https://①②⑦.⓪.⓪.①:{port}/"),
    ("wide digits and dots", "https://\uff11\uff12\uff17\u3002\uff10\u3002\uff10\u3002\uff11:{port}/"),
    ("percent in the host", "https://%31%32%37.0.0.1:{port}/"),
    ("IPv6 loopback", "https://[::1]:{port}/"),
    ("IPv6 mapped", "https://[::ffff:127.0.0.1]:{port}/"),
    ("IPv6 mapped, hexadecimal", "https://[::ffff:7f00:1]:{port}/"),
    ("IPv6 compatible", "https://[::127.0.0.1]:{port}/"),
    ("IPv6 translated", "https://[64:ff9b::7f00:1]:{port}/"),
    ("IPv6 with a zone", "https://[fe80::1%25lo]:{port}/"),
    ("6to4", "https://[2002:7f00:1::]:{port}/"),
    ("site-local", "https://[fec0::1]:{port}/"),
    ("unspecified", "https://0.0.0.0:{port}/"),
    ("unspecified, short", "https://0:{port}/"),
    ("private 10", "https://10.0.0.1/"),
    ("private 172", "https://172.16.0.1/"),
    ("private 192", "https://192.168.1.1/"),
    ("carrier", "https://100.64.0.1/"),
    ("cloud metadata", "https://169.254.169.254/latest/meta-data/"),
    ("multicast", "https://224.0.0.1/"),
    ("broadcast", "https://255.255.255.255/"),
    ("documentation", "https://192.0.2.1/"),
    ("single label", "https://intranet/"),
    ("internal name", "https://metadata.google.internal/"),
    ("user and password", "https://user:secret@example.com/"),
    ("user that looks like a host", "https://example.com@127.0.0.1:{port}/"),
    ("backslash", "https://example.com\\@127.0.0.1:{port}/"),
    ("space", "https://example.com @127.0.0.1:{port}/"),
    ("line end", "https://127.0.0.1:{port}/\r\nHost: x"),
    ("file", "file:///etc/passwd"),
    ("ftp", "ftp://127.0.0.1:{port}/"),
    ("gopher", "gopher://127.0.0.1:{port}/_x"),
    ("data", "data:image/png;base64,AAAA"),
    ("javascript", "javascript:alert(1)"),
    ("no host", "https:///etc/passwd"),
    ("no scheme", "//127.0.0.1:{port}/"),
    ("words", "a nice picture of a cat"),
    ("nothing", ""),
    ("impossible port", "https://example.com:99999/"),
    ("lone surrogate", "https://ex\ud800ample.com/"),
    ("label too long", f"https://{'a' * 70}.com/"),
    ("far too long", f"https://example.com/{'a' * 9000}"),
]


@pytest.mark.parametrize(("looks", "url"), HOSTILE_URLS, ids=[looks for looks, _ in HOSTILE_URLS])
def test_a_hostile_link_is_refused_without_any_connection(
    looks: str, url: str, decoy: Decoy, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TRUSTED_FILE_ORIGINS = ["http://127.0.0.1:1"]

    def no_connection(*_: object, **__: object) -> socket.socket:
        raise AssertionError(f"{looks} led to a connection")

    monkeypatch.setattr(connection, "create_connection", no_connection)
    with pytest.raises(FetchRefused) as refused:
        fetch(url.replace("{port}", str(decoy.port)), max_bytes=ANY, seconds=5)

    assert refused.value.sentence.endswith((".", "https://"))
    assert not decoy.was_contacted()
    assert kept_files(settings) == []


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fd00::1", "fec0::1", "::7f00:1"],
)
def test_a_harmless_name_with_a_private_address_is_refused(
    address: str, decoy: Decoy, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    answer = [(family, socket.SOCK_STREAM, 6, "", (address, decoy.port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)

    with pytest.raises(FetchRefused, match="private network"):
        fetch(f"https://pictures.example.com:{decoy.port}/a.png", max_bytes=ANY, seconds=5)

    assert not decoy.was_contacted()


def test_a_name_that_changes_its_address_is_connected_to_the_one_that_was_checked(
    decoy: Decoy, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["93.184.215.14"])
    asked: list[Any] = []

    def resolve(_host: str, port: int, *_: object, **__: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers, "127.0.0.1"), port))]

    def connect(address: tuple[str, int], *_: object, **__: object) -> socket.socket:
        asked.append(address)
        raise OSError("no network in this test")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(connection, "create_connection", connect)
    with pytest.raises(FetchFailed):
        fetch(f"https://rebinding.example.com:{decoy.port}/", max_bytes=ANY, seconds=5)

    assert asked == [("93.184.215.14", decoy.port)]
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
            fetch(url, max_bytes=ANY, seconds=5)

    assert server.hits == []
    assert not decoy.was_contacted()


def test_a_trusted_origin_is_no_prefix(settings: Settings) -> None:
    settings.TRUSTED_FILE_ORIGINS = ["http://files.example.com"]
    check_url("http://files.example.com/a.png")
    check_url("http://FILES.example.com?a.png")
    for url in (
        "http://files.example.com.evil.test/",
        "http://files.example.com:8080/",
        "http://files.example.company",
    ):
        with pytest.raises(FetchRefused, match="Only links that start with https"):
            check_url(url)


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:{port}/", "https://127.0.0.1:{port}/", "//[::1]:{port}/", "file:///x"]
)
def test_a_redirect_to_a_private_address_is_refused(target: str, server: HostileServer, decoy: Decoy) -> None:
    with pytest.raises(FetchRefused):
        fetch(f"{server.url}/redirect?to={target.replace('{port}', str(decoy.port))}", max_bytes=ANY, seconds=5)

    assert len(server.hits) == 1
    assert not decoy.was_contacted()


def test_redirects_end_after_five(server: HostileServer) -> None:
    with pytest.raises(FetchRefused, match="too many times"):
        fetch(f"{server.url}/loop", max_bytes=ANY, seconds=5)

    assert len(server.hits) == 6


def test_the_body_of_a_redirect_is_not_read(server: HostileServer) -> None:
    fetched = fetch(f"{server.url}/redirect-with-endless-body", max_bytes=ANY, seconds=5)
    assert fetched.path.read_bytes() == server.files["/a.png"]


@dataclass
class TlsServer:
    """https://pictures.example.com on loopback, with a certificate that only its own CA file vouches for."""

    port: int
    ca_file: Path
    names: list[str]  # the server names that clients asked for


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TlsServer]:
    ca_file = tmp_path / "pem"
    ca_file.write_bytes(make_certificate("pictures.example.com"))
    names: list[str] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ca_file)
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    with hostile_server() as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        monkeypatch.setattr(ip_filter_adapter, "filter_host", lambda *_, **__: "127.0.0.1")
        monkeypatch.setattr(guard, "is_public", lambda _: True)
        yield TlsServer(server.server_address[1], ca_file, names)


def make_certificate(host: str) -> bytes:
    """A certificate for HOST, signed by itself, and its key (PEM)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def test_https_goes_to_the_checked_address_under_its_own_name(tls: TlsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(tls.ca_file))

    fetched = fetch(f"https://pictures.example.com:{tls.port}/a.png", max_bytes=ANY, seconds=5)

    assert fetched.path.read_bytes() == picture()
    assert tls.names == ["pictures.example.com"]


def test_a_certificate_nobody_vouches_for_is_not_believed(tls: TlsServer) -> None:
    with pytest.raises(FetchFailed, match="certificate"):
        fetch(f"https://pictures.example.com:{tls.port}/a.png", max_bytes=ANY, seconds=5)


def test_a_certificate_for_another_name_is_not_believed(tls: TlsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(tls.ca_file))
    with pytest.raises(FetchFailed, match="certificate"):
        fetch(f"https://other.example.com:{tls.port}/a.png", max_bytes=ANY, seconds=5)


def test_a_slow_answer_over_tls_is_cut_at_the_deadline(tls: TlsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(tls.ca_file))
    began = time.monotonic()
    with pytest.raises(FetchFailed, match="too long"):
        fetch(f"https://pictures.example.com:{tls.port}/drip", max_bytes=ANY, seconds=0.6)
    assert time.monotonic() - began < 3
