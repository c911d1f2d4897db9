"""Send one request over a new connection, with limits on time and size, and report whether it was sent.

`requests` alone can't do this. Its read time-out restarts with every byte, so a slow server could block a worker
forever, and its exceptions don't say whether the request was sent. So we use our own connection, which notes when
sending begins, and a timer that shuts the connection down at the deadline. A new connection costs a handshake per call
(at most 100 a minute), but calls never fail because of a stale connection.

Network errors are never raised, so that no `requests` exception (which holds the key) can escape.
"""

import contextlib
import ipaddress
import logging
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import HTTPError

CONNECT_SECONDS = 3.05
BODY_BYTES = 16_000_000
_CHUNK_BYTES = 65_536
_NETWORK_ERRORS = (requests.RequestException, HTTPError, HTTPException, ssl.SSLError, OSError, ValueError)


def _is_ours_to_log(record: logging.LogRecord) -> bool:
    """Hide urllib3's warning about malformed headers: it quotes them, and a hostile server could send our key back."""
    return "Failed to parse headers" not in str(record.msg)


logging.getLogger("urllib3.connection").addFilter(_is_ours_to_log)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Time limits in seconds: `read` for the wait between two bytes, `total` for the whole call."""

    read: float
    total: float


@dataclass(frozen=True, slots=True)
class Reply:
    """A response; `is_whole` is False if the body was cut off, too slow or too large."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_whole: bool


@dataclass(frozen=True, slots=True)
class NoReply:
    """No response: `was_sent` is True if part of the request may have arrived."""

    was_sent: bool
    is_timeout: bool


class _Watch:
    """Watches the connection of one call and shuts it down at the deadline."""

    def __init__(self, seconds: float) -> None:
        self.deadline = time.monotonic() + seconds
        self.was_sent = False
        self.is_cut = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._timer.cancel()
        with self._lock:
            self._let_go()

    @property
    def remaining(self) -> float:
        return max(self.deadline - time.monotonic(), 0.01)

    def hold(self, connection: socket.socket) -> None:
        """Keep a duplicate of the socket: TLS detaches the original, but either can shut the connection down."""
        with self._lock:
            self._let_go()
            self._socket = connection.dup()
            if self.is_cut:
                self._shut()

    def _cut(self) -> None:
        with self._lock:
            self.is_cut = True
            self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _let_go(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class _Watched(HTTPConnection):
    """A connection that reports its socket and the first byte sent to its `_Watch`."""

    def __init__(self, *args: Any, watch: _Watch, **kwargs: Any) -> None:
        self._watch = watch
        super().__init__(*args, **kwargs)

    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        self._watch.hold(connection)
        return connection

    def connect(self) -> None:
        super().connect()
        self._watch.was_sent = False  # asking a proxy for a tunnel isn't the request itself

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        self._watch.was_sent = True
        self.sock.settimeout(self._watch.remaining)  # otherwise the connect time-out would limit a long upload
        super().send(data)


class _WatchedTls(_Watched, HTTPSConnection):
    """A watched TLS connection. If the handshake fails, nothing was sent."""


class _Adapter(HTTPAdapter):
    """Opens connections that report to `watch`, and never retries a request."""

    def __init__(self, watch: _Watch) -> None:
        self._watch = watch
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        pool = cast(HTTPConnectionPool, super().get_connection_with_tls_context(*args, **kwargs))
        kind = _WatchedTls if pool.scheme == "https" else _Watched
        pool.ConnectionCls = partial(kind, watch=self._watch)  # type: ignore[assignment]
        return pool


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep `requests` from sending a password from ~/.netrc along with our key."""
    return request


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _read_body(response: requests.Response, watch: _Watch) -> tuple[bytes, bool]:
    """Return the decoded body, truncated soon after `BODY_BYTES`, and whether it is complete."""
    body = bytearray()
    try:
        while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
            body += chunk
            if len(body) > BODY_BYTES or watch.is_cut:
                return bytes(body), False
    except _NETWORK_ERRORS:
        return bytes(body), False
    return bytes(body), not watch.is_cut


def exchange(
    method: str, url: str, *, headers: Mapping[str, str], body: bytes | None, timeouts: Timeouts
) -> Reply | NoReply:
    """Send one request and read the response within `timeouts`. Never follows redirects, retries or raises.

    Uses proxies and certificates from the environment, except for a sandbox on this machine.
    """
    with _Watch(timeouts.total) as watch, requests.Session() as session:
        session.mount("http://", _Adapter(watch))
        session.mount("https://", _Adapter(watch))
        try:
            session.trust_env = not _is_loopback(url)
            response = session.request(
                method,
                url,
                headers=dict(headers),
                data=body,
                timeout=(CONNECT_SECONDS, timeouts.read),
                allow_redirects=False,
                stream=True,
                auth=_no_auth,
            )
        except _NETWORK_ERRORS as error:
            is_timeout = watch.is_cut or isinstance(error, requests.Timeout | TimeoutError)
            return NoReply(was_sent=watch.was_sent, is_timeout=is_timeout)
        with response:
            content, is_whole = _read_body(response, watch)
            return Reply(response.status_code, CaseInsensitiveDict(response.headers), content, is_whole)
