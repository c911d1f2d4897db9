"""Handles one connection: reads requests, writes replies, and keeps the connection open if it can."""

import contextlib
import io
import math
import re
import selectors
import socket
import uuid
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler
from typing import BinaryIO, cast
from urllib.parse import parse_qsl, urlsplit

from runs.sandbox.errors import ApiError, Dropped
from runs.sandbox.http_server import HttpServer
from runs.sandbox.wire import Request, SandboxReply, error_reply

MOST_BODY_BYTES = 8 * 1024 * 1024
OWN_HOST = re.compile(r"(127\.0\.0\.1|localhost)(:\d+)?", re.IGNORECASE)


class BodyStream(io.RawIOBase):
    """The body of one request, sent with a Content-Length or in chunks; raises ConnectionError if it is cut off."""

    def __init__(self, source: BinaryIO, length: int, is_chunked: bool) -> None:
        self._source = source
        self._left = 0 if is_chunked else length
        self._is_chunked = is_chunked
        self._is_first = True

    @property
    def is_read(self) -> bool:
        return not self._left and not self._is_chunked

    def read(self, size: int = -1) -> bytes:
        if not self._left and self._is_chunked:
            self._next_chunk()
        count = self._left if size < 0 else min(size, self._left)
        if not count:
            return b""
        data = self._source.read(count)
        self._left -= len(data)
        if len(data) < count:
            raise ConnectionError("the body was cut off")
        return data

    def _next_chunk(self) -> None:
        if not self._is_first:
            self._source.readline()
        self._is_first = False
        line = self._source.readline(1024).split(b";")[0].strip()
        try:
            self._left = int(line, 16)
        except ValueError:
            raise ConnectionError("the body was cut off") from None
        if not self._left:
            self._is_chunked = False
            while self._source.readline(1024).strip():
                pass


class Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 with persistent connections.

    All replies have the header `X-Lamina-Sandbox: 1`, and all except streams have a length.
    """

    protocol_version = "HTTP/1.1"
    timeout = 65  # how many seconds an idle connection stays open
    wbufsize = -1
    disable_nagle_algorithm = True
    server: HttpServer

    def handle_any(self) -> None:
        request_id = str(uuid.uuid4())
        stream = self._body_stream()
        try:
            request = self._request(request_id, stream)
            reply = self.server.router.answer(request)
        except ApiError as error:
            reply = error_reply(error, request_id)
        except Dropped:
            self._drop()
            return
        if not stream.is_read:
            self.close_connection = True
        self._send(reply, request_id)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the `Date` header, based on the same clock as the times in responses."""
        return super().date_time_string(self.server.router.world.clock() if timestamp is None else timestamp)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = handle_any

    def _body_stream(self) -> BodyStream:
        length = self.headers.get("Content-Length") or "0"
        is_chunked = "chunked" in (self.headers.get("Transfer-Encoding") or "").lower()
        return BodyStream(cast(BinaryIO, self.rfile), int(length) if length.isdigit() else 0, is_chunked)

    def _request(self, request_id: str, stream: BodyStream) -> Request:
        parts = urlsplit(self.path)
        host = self.headers.get("Host") or ""
        # Keep the host name that the caller used, so that it trusts the origin of URLs in responses
        if not OWN_HOST.fullmatch(host):
            host = f"127.0.0.1:{self.server.server_address[1]}"
        request = Request(
            method=self.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers=self.headers,
            origin=f"http://{host}",
            request_id=request_id,
            stream=cast(BinaryIO, stream),
            stopping=self.server.stopping,
            is_gone_within=self._is_gone_within,
        )
        if self.command != "PUT":
            request.body = self._whole(stream)
        return request

    def _whole(self, stream: BodyStream) -> bytes:
        body = bytearray()
        while chunk := stream.read(64 * 1024):
            body += chunk
            if len(body) > MOST_BODY_BYTES:
                raise ApiError(413, "The request is too large")
        return bytes(body)

    def _send(self, reply: SandboxReply, request_id: str) -> None:
        length = reply.file.stat().st_size if reply.file else len(reply.body)
        headers = {
            "Server": "Lamina-Sandbox",
            "Date": self.date_time_string(),
            "X-Lamina-Sandbox": "1",
            "X-Request-Id": request_id,
            "Content-Type": reply.content_type,
            "Content-Length": str(length),
        }
        headers.update(reply.headers)
        if reply.events is not None:
            del headers["Content-Length"]
            headers |= {"Transfer-Encoding": "chunked", "Cache-Control": "no-cache"}
            self.close_connection = True
        if reply.cut:
            length //= 2
            self.close_connection = True
        if self.close_connection:
            headers["Connection"] = "close"
        self.send_response_only(reply.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if reply.events is not None:
            self._stream(reply.events, is_cut=reply.cut)
        elif reply.drip:
            self._drip(reply, length, *reply.drip)
        else:
            self._write(reply, length)
        self.wfile.flush()

    def _stream(self, events: Generator[bytes, None, None], is_cut: bool) -> None:
        try:
            for piece in events:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.flush()
                if is_cut:
                    raise Dropped
        except Dropped:
            self._drop()
        else:
            self.wfile.write(b"0\r\n\r\n")
        finally:
            events.close()

    def _is_gone_within(self, seconds: float) -> bool:
        """Wait for `seconds`, or return True as soon as the caller disconnects or the server closes the connection."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.connection, selectors.EVENT_READ)
            if not selector.select(seconds):
                return self.server.stopping.is_set()
        try:
            is_left = not self.connection.recv(1, socket.MSG_PEEK)
        except OSError:
            return True
        return is_left or self.server.stopping.wait(seconds)  # the caller has sent more data, which we don't read yet

    def _drip(self, reply: SandboxReply, length: int, seconds: float, gap: float) -> None:
        body = (reply.file.read_bytes() if reply.file else reply.body)[:length]
        pauses = max(1, math.ceil(seconds / gap))
        for piece in range(pauses + 1):
            if piece and self.server.stopping.wait(seconds / pauses):
                self._drop()
                return
            start, end = (len(body) * n // (pauses + 1) for n in (piece, piece + 1))
            self.wfile.write(body[start:end])
            self.wfile.flush()

    def _write(self, reply: SandboxReply, length: int) -> None:
        with reply.file.open("rb") if reply.file else io.BytesIO(reply.body) as source:
            while length and (chunk := source.read(min(length, 256 * 1024))):
                self.wfile.write(chunk)
                length -= len(chunk)

    def _drop(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing, because the control API shows all requests."""
