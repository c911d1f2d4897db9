"""Send one request over a new connection, with limits on time and size, and report whether it was sent.

`requests` alone can't do this. Its read time-out restarts with every byte, so a slow server could block a worker
forever, and its exceptions don't say whether the request was sent. That's why we use our own connection, which notes
when sending begins, and a timer that shuts the connection down at the deadline. A new connection for each call costs a
handshake (at most 100 a minute), but no call ever fails because of a stale connection.

Network errors are never raised, so that no `requests` exception (which contains the key) can escape.
"""

import contextlib
import ipaddress
import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
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
_SEND_SECONDS = 10.0
BODY_BYTES = 16_000_000
_CHUNK_BYTES = 65_536
_NETWORK_ERRORS = (requests.RequestException, HTTPError, HTTPException, ssl.SSLError, OSError, ValueError)


def _is_ours_to_log(record: logging.LogRecord) -> bool:
    """Hide urllib3's warning about malformed headers: it quotes the headers, and a hostile server could send our key
    back in one."""
    return "Failed to parse headers" not in str(record.msg)


logging.getLogger("urllib3.connection").addFilter(_is_ours_to_log)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Time limits in seconds: `read` limits the wait between two bytes, `total` the whole call."""

    read: float
    total: float


@dataclass(frozen=True, slots=True)
class Reply:
    """A response; `is_whole` is False if the body was cut off, too slow or too large."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_whole: bool

    @property
    def is_cut_off(self) -> bool:
        """Whether the connection broke, or the time ran out, before the whole body had arrived."""
        return not self.is_whole and len(self.body) <= BODY_BYTES


@dataclass(frozen=True, slots=True)
class NoReply:
    """There was no response. `was_sent` is True if part of the request may have arrived."""

    was_sent: bool
    is_timeout: bool


@dataclass(frozen=True, slots=True)
class Flow:
    """A response read in pieces as it arrives, until it is complete or the connection breaks."""

    status: int
    headers: Mapping[str, str]
    pieces: Iterator[bytes]


class Cutter:
    """Holds the connection of one call, so that any thread can shut it down."""

    def __init__(self) -> None:
        self.was_sent = False
        self.is_cut = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    @property
    def send_seconds(self) -> float:
        return _SEND_SECONDS

    def hold(self, connection: socket.socket) -> None:
        """Keep a duplicate of the socket, because TLS detaches the original. Shutting down either of them shuts down
        the connection."""
        self.let_go()
        with self._lock:
            self._socket = connection.dup()
            if self.is_cut:
                self._shut()

    def cut(self) -> None:
        """Shut the connection down now, or as soon as there is one."""
        with self._lock:
            self.is_cut = True
            self._shut()

    def let_go(self) -> None:
        with self._lock:
            if self._socket is not None:
                self._socket.close()
                self._socket = None

    def _shut(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


class _Watch(Cutter):
    """Shuts down a call's connection at the deadline."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.deadline = time.monotonic() + seconds
        self._timer = threading.Timer(seconds, self.cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._timer.cancel()
        self.let_go()

    @property
    def send_seconds(self) -> float:
        return max(self.deadline - time.monotonic(), 0.01)


class _Watched(HTTPConnection):
    """A connection that tells its `Cutter` which socket it uses and when it starts sending."""

    def __init__(self, *args: Any, cutter: Cutter, **kwargs: Any) -> None:
        self._cutter = cutter
        super().__init__(*args, **kwargs)

    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        self._cutter.hold(connection)
        return connection

    def connect(self) -> None:
        super().connect()
        self._cutter.was_sent = False  # asking a proxy for a tunnel doesn't count as sending the request

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        self._cutter.was_sent = True
        self.sock.settimeout(self._cutter.send_seconds)  # otherwise the connect time-out would limit a long upload
        super().send(data)


class _WatchedTls(_Watched, HTTPSConnection):
    """A watched TLS connection. If the handshake fails, nothing was sent."""


class _Adapter(HTTPAdapter):
    """Opens connections that report to `cutter`, and never retries a request."""

    def __init__(self, cutter: Cutter) -> None:
        self._cutter = cutter
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        pool = cast(HTTPConnectionPool, super().get_connection_with_tls_context(*args, **kwargs))
        kind = _WatchedTls if pool.scheme == "https" else _Watched
        pool.ConnectionCls = partial(kind, cutter=self._cutter)  # type: ignore[assignment]
        return pool


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep `requests` from sending a password from ~/.netrc."""
    return request


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _read_body(response: requests.Response, cutter: Cutter) -> tuple[bytes, bool]:
    """Return the decoded body (cut off soon after `BODY_BYTES`) and whether it is complete."""
    body = bytearray()
    try:
        while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
            body += chunk
            if len(body) > BODY_BYTES or cutter.is_cut:
                return bytes(body), False
    except _NETWORK_ERRORS:
        return bytes(body), False
    return bytes(body), not cutter.is_cut


def exchange(
    method: str, url: str, *, headers: Mapping[str, str], body: bytes | None, timeouts: Timeouts
) -> Reply | NoReply:
    """Send one request and read the response within `timeouts`. Never follows redirects, never retries and never
    raises.

    Uses proxies and certificates from the environment, except for a sandbox on this machine.
    """
    with _Watch(timeouts.total) as watch, requests.Session() as session:
        response = _send(session, watch, method, url, headers=headers, body=body, read_seconds=timeouts.read)
        if isinstance(response, NoReply):
            return response
        with response:
            content, is_whole = _read_body(response, watch)
            return Reply(response.status_code, CaseInsensitiveDict(response.headers), content, is_whole)


@contextmanager
def open_flow(
    url: str, *, headers: Mapping[str, str], cutter: Cutter, read_seconds: float
) -> Iterator[Flow | Reply | NoReply]:
    """Send a GET request whose response arrives bit by bit. Works like `exchange`, but the call as a whole has no time
    limit: it may go on until `cutter` cuts it or nothing arrives for `read_seconds`. A response with a status other
    than 200 is read right away."""
    with contextlib.ExitStack() as stack:
        stack.callback(cutter.let_go)
        session = stack.enter_context(requests.Session())
        response = _send(session, cutter, "GET", url, headers=headers, body=None, read_seconds=read_seconds)
        if isinstance(response, NoReply):
            yield response
            return
        stack.enter_context(response)
        reply_headers = CaseInsensitiveDict(response.headers)
        if response.status_code == HTTPStatus.OK:
            yield Flow(response.status_code, reply_headers, _pieces(response))
        else:
            yield Reply(response.status_code, reply_headers, *_read_body(response, cutter))


def _pieces(response: requests.Response) -> Iterator[bytes]:
    try:
        while piece := response.raw.read1(_CHUNK_BYTES, decode_content=True):
            yield piece
    except _NETWORK_ERRORS:
        return


def _send(
    session: requests.Session,
    cutter: Cutter,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None,
    read_seconds: float,
) -> requests.Response | NoReply:
    """Send one request; return the response as soon as its headers have arrived."""
    session.mount("http://", _Adapter(cutter))
    session.mount("https://", _Adapter(cutter))
    try:
        session.trust_env = not _is_loopback(url)
        return session.request(
            method,
            url,
            headers=dict(headers),
            data=body,
            timeout=(CONNECT_SECONDS, read_seconds),
            allow_redirects=False,
            stream=True,
            auth=_no_auth,
        )
    except _NETWORK_ERRORS as error:
        is_timeout = cutter.is_cut or isinstance(error, requests.Timeout | TimeoutError)
        return NoReply(was_sent=cutter.was_sent, is_timeout=is_timeout)
