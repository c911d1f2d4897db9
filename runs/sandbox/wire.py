"""Plain objects for the requests and replies that pass between the socket and the endpoints."""

import json
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any, BinaryIO

from runs.sandbox.errors import ApiError
from runs.sandbox.faults import Fault


@dataclass
class Request:
    """A request. `origin` is this server's origin as the caller wrote it; `stream` is the body, which hasn't been read
    yet.

    `stopping` is set when the server stops, so that nothing keeps waiting. `is_gone_within` waits for the given number
    of seconds, but returns True as soon as the caller disconnects or the server stops. `fault` is the fault that a test
    has set for this request, if any.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: Message
    origin: str
    request_id: str
    stream: BinaryIO
    body: bytes = b""
    stopping: threading.Event = field(default_factory=threading.Event)
    is_gone_within: Callable[[float], bool] = lambda seconds: False
    fault: Fault | None = None

    def json_object(self) -> dict[str, Any]:
        """Return the JSON object in the body; an empty body counts as `{}`. Raises ApiError 400 if the body is anything
        else."""
        if not self.body.strip():
            return {}
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            raise ApiError(400, "Request body is not valid JSON") from None
        if not isinstance(value, dict):
            raise ApiError(400, "Request body must be an object")
        return value


@dataclass
class SandboxReply:
    """A response. With `cut`, only half of the body is sent, even though `Content-Length` promises all of it; if the
    body comes from `events`, only the first piece is sent.

    `drip` is (seconds, gap): the body is sent in pieces, one every `gap` seconds, the last one after `seconds`.
    `events` is a body of unknown length, sent piece by piece; if it raises Dropped, the connection breaks.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    file: Path | None = None
    run_id: str | None = None
    drip: tuple[float, float] | None = None
    events: Generator[bytes, None, None] | None = None


def json_reply(value: Any, status: int = 200, **more: Any) -> SandboxReply:
    # Escaped as ASCII, so that lone surrogates and NULs can be sent.
    return SandboxReply(status, json.dumps(value).encode("ascii"), **more)


def error_reply(error: ApiError, request_id: str) -> SandboxReply:
    reply = json_reply(error.body(request_id), error.status)
    reply.headers.update(error.headers)
    return reply
