"""The guard over https: the checked address and its host name, certificates, and the deadline."""

import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from requests_hardened import ip_filter_adapter

from runs.storage import guard
from runs.storage.fetch import FetchFailed
from tests.support.hostile_server import fetch_trusted, hostile_server, picture
from tests.support.messages import says

ANY = 5_000_000  # bytes; used where the limit doesn't matter
PLENTY = 60.0  # seconds; more than enough for anything that arrives or is refused at once


@dataclass
class TlsServer:
    """A server for https://pictures.example.com on loopback. Its certificate is trusted only by clients that use its CA
    file."""

    port: int
    ca_file: Path
    names: list[str]  # the server names that clients requested


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
        monkeypatch.setattr(guard, "WEB_PORTS", {server.server_address[1]})
        yield TlsServer(server.server_address[1], ca_file, names)


def make_certificate(host: str) -> bytes:
    """Return a self-signed certificate for `host` with its key (PEM)."""
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

    fetched = fetch_trusted(f"https://pictures.example.com:{tls.port}/a.png", max_bytes=ANY, seconds=PLENTY)

    assert fetched.path.read_bytes() == picture()
    assert tls.names == ["pictures.example.com"]


def test_a_self_signed_certificate_is_not_trusted(tls: TlsServer) -> None:
    with pytest.raises(FetchFailed, check=says("unsafe_connection")):
        fetch_trusted(f"https://pictures.example.com:{tls.port}/a.png", max_bytes=ANY, seconds=PLENTY)


def test_a_certificate_for_another_name_is_not_trusted(tls: TlsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(tls.ca_file))
    with pytest.raises(FetchFailed, check=says("unsafe_connection")):
        fetch_trusted(f"https://other.example.com:{tls.port}/a.png", max_bytes=ANY, seconds=PLENTY)


def test_a_slow_answer_over_tls_is_cut_at_the_deadline(tls: TlsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(tls.ca_file))
    began = time.monotonic()
    with pytest.raises(FetchFailed, check=says("too_slow")):
        fetch_trusted(f"https://pictures.example.com:{tls.port}/drip", max_bytes=ANY, seconds=0.6)
    assert time.monotonic() - began < PLENTY  # without the deadline, the server would keep sending slowly forever
