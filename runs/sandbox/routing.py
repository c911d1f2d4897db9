"""Turns requests into replies: finds the endpoint, applies the rate limit and faults, checks the key, and logs the
request."""

import json
import re
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from runs.sandbox import faults, lifecycle
from runs.sandbox.api import Api
from runs.sandbox.control import Control
from runs.sandbox.errors import TEXTS, ApiError, Dropped
from runs.sandbox.faults import Fault
from runs.sandbox.files import FILE, FileEndpoints
from runs.sandbox.state import World
from runs.sandbox.wire import Request, SandboxReply, error_reply, json_reply

APP, RUN = "app", "run"
ROUTES = [
    ("GET", r"/v1/apps", "apps", ""),
    ("POST", r"/v1/apps/discover", "discover", ""),
    ("GET", r"/v1/apps/([^/]+)", "app", APP),
    ("POST", r"/v1/apps/([^/]+)/estimate", "estimate", APP),
    ("POST", r"/v1/apps/([^/]+)/runs", "run_start", APP),
    ("GET", r"/v1/runs", "runs", ""),
    ("GET", r"/v1/runs/([^/]+)", "run", RUN),
    ("GET", r"/v1/runs/([^/]+)/wait", "wait", RUN),
    ("GET", r"/v1/runs/([^/]+)/stream", "stream", RUN),
    ("POST", r"/v1/runs/([^/]+)/cancel", "cancel", RUN),
    ("POST", r"/v1/runs/([^/]+)/feedback", "feedback", RUN),
    ("GET", r"/v1/account", "account", ""),
    ("GET", r"/v1/account/usage", "usage", ""),
    ("POST", r"/v1/assets/upload-urls", "upload_urls", ""),
    ("POST", r"/v1/publishing/transfer-asset", "transfer", ""),
    ("GET", r"/v1/webhooks/signing-key", "signing_key", ""),
]
UPLOAD = re.compile(r"/upload/([^/]+)")
LEGACY_EXAMPLE = {
    "error": "Invalid inputs",
    "details": ['"Style": invalid option "Manga". Must be one of: Ghibli, Simpsons'],
}


@dataclass
class Endpoint:
    name: str
    act: Callable[[], SandboxReply]
    app_id: str | None = None
    run_id: str | None = None
    needs_key: bool = False


class Router:
    """Passes requests to their endpoints. `answer` turns every exception except Dropped and OSError into a reply."""

    def __init__(
        self, world: World, api: Api, others: Sequence[object], files: FileEndpoints, control: Control
    ) -> None:
        self.world = world
        self.api = api
        self.holders = (api, *others)  # objects with one method per endpoint, named after it
        self.files = files
        self.control = control

    def answer(self, request: Request) -> SandboxReply:
        if request.path.startswith("/control/"):
            return self._safely(request, lambda: self.control.handle(request, request.path.removeprefix("/control/")))
        endpoint = self._find(request)
        # Keep using this log, because a reset during the request starts a new one
        started, log = self.world.clock(), self.world.log
        status, run_id = 0, None
        try:
            reply = self._answer(request, endpoint)
            status, run_id = reply.status, reply.run_id
            return reply
        except Dropped as dropped:
            run_id = dropped.run_id
            raise
        finally:
            log.append({
                "at": lifecycle.iso(started),
                "method": request.method,
                "path": request.path,
                "query": request.query,
                "endpoint": endpoint.name,
                "status": status,
                "runId": run_id or endpoint.run_id,
            })  # fmt: skip

    def _answer(self, request: Request, endpoint: Endpoint) -> SandboxReply:
        limits: dict[str, str] = {}
        if request.path.startswith("/v1/"):
            with self.world.lock:
                is_accepted = self.world.limiter.take()
                limits = self.world.limiter.headers()
                wait = self.world.limiter.seconds_until_free()
            if not is_accepted:
                refused = ApiError(429, "Too many requests", retry_after=wait)
                refused.headers = limits | {"Retry-After": str(wait)}
                return error_reply(refused, request.request_id)
        with self.world.lock:
            fault = faults.take_fault(self.world.faults, endpoint.name, endpoint.app_id, endpoint.run_id)
            delays = self.world.delays
        request.fault = fault
        if fault and fault.fault == "delay":
            delays.over.wait(30.0 if fault.seconds is None else fault.seconds)
            if delays.is_void:
                raise Dropped
        reply = self._with_fault(request, endpoint, fault)
        reply.headers = limits | reply.headers
        return reply

    def _with_fault(self, request: Request, endpoint: Endpoint, fault: Fault | None) -> SandboxReply:
        if fault and fault.fault == "drop_before":
            raise Dropped
        is_instead = fault is not None and fault.fault in faults.INSTEAD
        reply = SandboxReply() if is_instead and fault and not fault.acts else self._act(request, endpoint)
        if fault is None:
            return reply
        if fault.fault == "drop_after":
            raise Dropped(reply.run_id)
        if is_instead:
            reply = canned(fault, request, reply.run_id)
        if fault.fault == "drip":
            reply.drip = (60.0 if fault.seconds is None else fault.seconds, fault.gap or 5.0)
        reply.cut = fault.fault in {"truncate", "truncated"}
        reply.headers.update(fault.headers)
        return reply

    def _act(self, request: Request, endpoint: Endpoint) -> SandboxReply:
        def act() -> SandboxReply:
            if endpoint.needs_key:
                self.api.check_key(request)
            return endpoint.act()

        return self._safely(request, act)

    def _safely(self, request: Request, act: Callable[[], SandboxReply]) -> SandboxReply:
        try:
            return act()
        except ApiError as error:
            return error_reply(error, request.request_id)
        except OSError:
            raise
        except Exception:  # noqa: BLE001 - any other error is a 500, with a traceback on the terminal
            traceback.print_exc()
            return error_reply(ApiError(500), request.request_id)

    def _find(self, request: Request) -> Endpoint:
        for method, pattern, name, what in ROUTES:
            match = re.fullmatch(pattern, request.path)
            if match and method == request.method:
                values = [unquote(value) for value in match.groups()]
                return self._endpoint(request, name, what, values)
        if (file := FILE.fullmatch(request.path)) and request.method in {"GET", "HEAD"}:
            return Endpoint("file", lambda: self.files.serve(request.path, file[1], file[2]))
        if (upload := UPLOAD.fullmatch(request.path)) and request.method == "PUT":
            return Endpoint("upload_put", lambda: self.files.receive(request, upload[1]))
        return Endpoint("", self._unknown, needs_key=request.path.startswith("/v1/"))

    def _endpoint(self, request: Request, name: str, what: str, values: list[str]) -> Endpoint:
        if name == "apps" and request.query.get("search"):
            name = "search"
        method = next(getattr(holder, name) for holder in self.holders if hasattr(holder, name))
        endpoint = Endpoint(name, lambda: method(request, *values), needs_key=True)
        if what == APP:
            endpoint.app_id = values[0]
        elif what == RUN:
            endpoint.run_id = values[0]
            run = self.world.runs.get(values[0])
            endpoint.app_id = run.app_id if run else None
        return endpoint

    def _unknown(self) -> SandboxReply:
        raise ApiError(404, "Not found")


def canned(fault: Fault, request: Request, run_id: str | None) -> SandboxReply:
    """Return the response that `fault` sends instead of the real one."""
    content = fault.body.encode("utf-8", "replace") if isinstance(fault.body, str) else None
    match fault.fault:
        case "garbage":
            return SandboxReply(fault.status or 200, content or b'\x00\xff{"data": [nonsense', run_id=run_id)
        case "html":
            page = b"<!doctype html><title>502</title><h1>Bad gateway</h1>"
            return SandboxReply(fault.status or 502, content or page, "text/html; charset=utf-8", run_id=run_id)
        case "empty":
            return SandboxReply(fault.status or 200, b"", run_id=run_id)
        case "plain_429":
            wait = {} if fault.seconds is None else {"Retry-After": f"{fault.seconds:g}"}
            text = content or b"Too many requests, please try again later."
            return SandboxReply(429, text, "text/plain; charset=utf-8", wait, run_id=run_id)
    status = fault.status or (400 if fault.fault == "old_error" else 503)
    if content is not None:
        return SandboxReply(status, content, "text/plain; charset=utf-8", run_id=run_id)
    if fault.body is not None:
        return SandboxReply(status, json.dumps(fault.body).encode("ascii"), run_id=run_id)
    if fault.fault == "old_error":
        old = LEGACY_EXAMPLE if status == 400 else {"error": TEXTS.get(status, "Something went wrong")}
        return json_reply(old, status, run_id=run_id)
    error = ApiError(status)
    if status == 429:
        error.retry_after = round(fault.seconds or 1)
        error.headers["Retry-After"] = str(error.retry_after)
    reply = error_reply(error, request.request_id)
    reply.run_id = run_id
    return reply
