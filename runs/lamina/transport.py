"""One request over one fresh connection, bounded in time and size, watched so that we know whether it left.

`requests` alone cannot promise either: its read time-out starts anew with every byte, so a server that drips holds
a worker for ever, and its exceptions do not say whether the request was sent. So the connection is ours: it notes the
first byte that goes out, and a timer cuts it at the deadline. A fresh connection per call costs a handshake, at most
100 times a minute, and buys that no call ever dies on a connection that had gone stale.

Nothing here raises for what the network does, so no `requests` exception (which holds the key) can travel along.
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
    """Not urllib3's warning about malformed headers: it quotes them, and a hostile server could quote our key."""
    return "Failed to parse headers" not in str(record.msg)


logging.getLogger("urllib3.connection").addFilter(_is_ours_to_log)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: between two signs of life once connected, and for the call as a whole."""

    read: float
    total: float


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: `is_whole` is False when its body broke off, came too slowly or was too large."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_whole: bool


@dataclass(frozen=True, slots=True)
class NoReply:
    """No answer. `was_sent`: part of the request may have reached the other side."""

    was_sent: bool
    is_timeout: bool


class _Watch:
    """Follows one call's connection; cuts it when the time is up."""

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
        """Keep a second handle on CONNECTION: TLS detaches the first, and a shutdown reaches through any of them."""
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
    """Tells its watch about the socket and about the first byte of the request."""

    def __init__(self, *args: Any, watch: _Watch, **kwargs: Any) -> None:
        self._watch = watch
        super().__init__(*args, **kwargs)

    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        self._watch.hold(connection)
        return connection

    def connect(self) -> None:
        super().connect()
        self._watch.was_sent = False  # what a proxy's tunnel was asked is not the request

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        self._watch.was_sent = True
        self.sock.settimeout(self._watch.remaining)  # else the connect time-out would bound a long upload
        super().send(data)


class _WatchedTls(_Watched, HTTPSConnection):
    """The same over TLS; a handshake that fails has sent nothing."""


class _Adapter(HTTPAdapter):
    """Hands out connections that report to WATCH; never repeats a request."""

    def __init__(self, watch: _Watch) -> None:
        self._watch = watch
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        pool = cast(HTTPConnectionPool, super().get_connection_with_tls_context(*args, **kwargs))
        kind = _WatchedTls if pool.scheme == "https" else _Watched
        pool.ConnectionCls = partial(kind, watch=self._watch)  # type: ignore[assignment]
        return pool


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Without it `requests` would add a password from the server's ~/.netrc beside our key."""
    return request


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _read_body(response: requests.Response, watch: _Watch) -> tuple[bytes, bool]:
    """The decoded body, at most BODY_BYTES of it, and whether that is all."""
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
    """Send one request and read its answer within TIMEOUTS. Follows no redirect, repeats nothing, raises nothing.

    The environment's proxies and certificates are used, except for a sandbox on this machine.
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
