"""Send one request over a new connection, with limits on time and size, and report whether it was sent.

`requests` alone can't do this: its exceptions don't say whether the request was sent. That's why we use our own
connection, which notes when sending begins and is shut down at the deadline. A new connection for each call costs a
handshake (at most 100 a minute), but no call ever fails because of a stale connection.

Network errors are never raised, so that no `requests` exception (which contains the key) can escape.
"""

import contextlib
import ipaddress
import logging
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError

from runs.lamina.deadline import CutAdapter, Cutter, Deadline, HeldConnection, HeldTlsConnection

CONNECT_SECONDS = 3.05
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


class _Connection(HeldConnection):
    """A connection that tells its `Cutter` when it starts sending."""

    def connect(self) -> None:
        super().connect()
        self.cutter.was_sent = False  # asking a proxy for a tunnel doesn't count as sending the request

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        self.cutter.was_sent = True
        self.sock.settimeout(self.cutter.send_seconds)  # otherwise the connect time-out would limit a long upload
        super().send(data)


class _TlsConnection(_Connection, HeldTlsConnection):
    """The same over TLS. If the handshake fails, nothing was sent."""


class _Adapter(CutAdapter):
    kinds = _Connection, _TlsConnection


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
    with Deadline(timeouts.total) as deadline, requests.Session() as session:
        response = _send(session, deadline, method, url, headers=headers, body=body, read_seconds=timeouts.read)
        if isinstance(response, NoReply):
            return response
        with response:
            content, is_whole = _read_body(response, deadline)
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
