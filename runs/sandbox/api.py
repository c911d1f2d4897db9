"""Most endpoints under /v1: apps, estimates, runs, account, uploads and the webhook key."""

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from runs.sandbox import catalogue, faults, lifecycle, validation, views
from runs.sandbox.errors import ApiError, Dialect
from runs.sandbox.lookup import app_of, run_of, whole_number
from runs.sandbox.state import WORKSPACE_ID, Upload, World
from runs.sandbox.webhooks import Deliveries
from runs.sandbox.wire import Request, SandboxReply, json_reply

STATUSES = {"queued", "running", "completed", "failed", "cancelled"}
OWN_NAMES = {"127.0.0.1", "localhost"}
MEDIA_TYPES = {"image", "video", "audio"}


class Api:
    """The endpoints, one method each. Every method returns a Reply or raises ApiError."""

    def __init__(self, world: World, deliveries: Deliveries) -> None:
        self.world = world
        self.deliveries = deliveries

    def check_key(self, request: Request) -> None:
        bearer = request.headers.get("Authorization") or ""
        key = request.headers.get("x-api-key") or bearer.removeprefix("Bearer ").strip()
        if not key:
            raise ApiError(401, "Missing API key", "AUTH_MISSING_KEY")
        if key not in self.world.accepted_keys:
            raise ApiError(401, "Invalid API key", "AUTH_INVALID_KEY")
        if request.headers.get("x-workspace-id", WORKSPACE_ID) != WORKSPACE_ID:
            raise ApiError(403, "x-workspace-id does not match the workspace of this key")

    def app(self, request: Request, app_id: str) -> SandboxReply:
        return json_reply({"data": views.app_detail(app_of(self.world, app_id), request.origin)})

    def estimate(self, request: Request, app_id: str) -> SandboxReply:
        return json_reply({"data": catalogue.estimate(app_of(self.world, app_id), self.world.balance)})

    def run_start(self, request: Request, app_id: str) -> SandboxReply:
        app = app_of(self.world, app_id)
        dialect: Dialect = app["sandbox"].get("errors", "structured")
        body = request.json_object()
        webhook = _webhook(request.query.get("webhook"))
        inputs = body.get("inputs", {})
        if not isinstance(inputs, dict):
            raise ApiError(400, "inputs must be an object", dialect=dialect)
        values, problems = validation.check_inputs(
            app["parameters"],
            inputs,
            lambda address: self.kind_of(address, request.origin),
            names=app["sandbox"].get("names", validation.NAMES),
            unknown_first=app["sandbox"].get("unknown_first", "names" in app["sandbox"]),
        )
        if problems:
            raise ApiError(400, "Invalid inputs", details=problems, dialect=dialect)
        outputs = _requested_outputs(app, body.get("outputs"), dialect)
        with self.world.lock:
            script = faults.take_script(self.world.scripts, app["appId"])
            is_refused = script is not None and script.outcome == "insufficient_credits"
            if is_refused or catalogue.cost(outputs) > self.world.balance:
                message = (script and script.error) or "Insufficient credits to run this app"
                raise ApiError(400, message, dialect=dialect)
            run = self.world.start_run(
                app, inputs, shown_inputs(app, values, request.origin), outputs,
                script=script, webhook=webhook, origin=request.origin,
            )  # fmt: skip
        if webhook and self.world.webhook_orders.early:
            self.deliveries.deliver_now(run)
        else:
            self.deliveries.plan(run)
        return json_reply({"data": views.run_started(run)}, 202, run_id=run.run_id)

    def run(self, request: Request, run_id: str) -> SandboxReply:
        with self.world.lock:
            run = run_of(self.world, run_id)
            return json_reply({"data": views.run_status(run, self.world.clock(), request.origin)})

    def runs(self, request: Request) -> SandboxReply:
        status, app_id = request.query.get("status"), request.query.get("appId")
        if status is not None and status not in STATUSES:
            raise ApiError(400, f"status must be one of {', '.join(sorted(STATUSES))}")
        since = _moment(request.query.get("since"))
        limit = whole_number(request.query, "limit", 25, 1, 100)
        offset = whole_number(request.query, "offset", 0, 0, 10**9)
        with self.world.lock:
            now = self.world.clock()
            matches = [
                run
                for run in self.world.newest_first()
                if app_id in (None, run.app_id)
                and (since is None or run.created_at > since)
                and (status is None or lifecycle.status_at(run, now) == status)
            ]
            rows = [views.run_row(run, now) for run in matches[offset : offset + limit]]
        return json_reply({"data": rows, "pagination": {"total": len(matches), "limit": limit, "offset": offset}})

    def cancel(self, request: Request, run_id: str) -> SandboxReply:
        with self.world.lock:
            run = run_of(self.world, run_id)
            if not lifecycle.is_final(run, self.world.clock()):
                self.world.override(run, "cancelled")
            status = lifecycle.status_at(run, self.world.clock())
        return json_reply({"data": {"runId": run_id, "status": status}}, run_id=run_id)

    def account(self, request: Request) -> SandboxReply:
        workspace = {"id": WORKSPACE_ID, "name": "Sandbox", "slug": "sandbox", "role": "owner"}
        membership = {"workspaceId": WORKSPACE_ID, "name": "Sandbox", "slug": "sandbox", "role": "owner"}
        user = {"id": "user-sandbox", "email": "sandbox@example.com"}
        return json_reply({"data": {"user": user, "workspace": workspace, "memberships": [membership]}})

    def usage(self, request: Request) -> SandboxReply:
        with self.world.lock:
            balance = self.world.balance
            spent = sum(run.cost for run in self.world.runs.values())
            limit = self.world.limiter.per_minute
        amounts = {"balance": balance, "totalEarned": balance + spent, "totalSpent": spent}
        data = {
            "credits": {key: catalogue.credits(value) for key, value in amounts.items()},
            "rateLimit": {"limit": limit, "windowMs": 60000},
        }
        return json_reply({"data": data})

    def upload_urls(self, request: Request) -> SandboxReply:
        files = request.json_object().get("files")
        if not isinstance(files, list) or not files:
            raise ApiError(400, "files must be a non-empty list")
        return json_reply({"data": {"uploads": [self._upload(one, request.origin) for one in files]}}, 201)

    def _upload(self, file: Any, origin: str) -> dict[str, Any]:
        filename = file.get("filename") if isinstance(file, dict) else None
        media_type = file.get("mediaType") if isinstance(file, dict) else None
        if not isinstance(filename, str) or not filename or media_type not in MEDIA_TYPES:
            raise ApiError(400, "each file needs a filename and a mediaType of image, video or audio")
        hint = content_type_hint(filename, media_type)
        upload = self.world.add_upload(filename, media_type, hint)
        return {
            "filename": filename,
            "mediaType": media_type,
            "contentTypeHint": hint,
            "uploadUrl": f"{origin}/upload/{upload.upload_id}?signature={upload.token}",
            "assetUrl": asset_address(upload, origin),
            "assetId": upload.upload_id,
            "expiresAt": lifecycle.iso(self.world.clock() + 3600),
        }

    def signing_key(self, request: Request) -> SandboxReply:
        return json_reply({"keys": [self.deliveries.jwk()]})

    def kind_of(self, address: str, origin: str) -> str | None:
        """Return the media kind of a file on this server; None if there is no such file, "" if the URL points to
        another server."""
        try:
            own, parts_of_url = urlsplit(origin), urlsplit(address)
            if parts_of_url.hostname not in OWN_NAMES or parts_of_url.port != own.port:
                return ""
        except ValueError:
            return ""
        parts = parts_of_url.path.split("/")
        if len(parts) > 2 and parts[1] == "assets":
            upload = self.world.uploads.get(parts[2])
            return upload.media_type if upload and upload.is_stored else None
        if len(parts) > 2 and parts[1] in {"samples", "outputs", "thumbs"}:
            return validation.kind_by_extension(unquote(parts[-1])) or None
        return None


def asset_address(upload: Upload, origin: str) -> str:
    name = upload.filename.encode("utf-8", "replace").decode()
    safe = quote(re.sub(r"[^\w.-]+", "-", name).strip("-.") or "file")
    return f"{origin}/assets/{upload.upload_id}/{safe}"


def content_type_hint(filename: str, media_type: str) -> str:
    extension = filename.rpartition(".")[2].lower()
    subtype = {"jpg": "jpeg", "tif": "tiff", "mp3": "mpeg", "mov": "quicktime", "m4v": "mp4"}.get(extension, extension)
    is_known = validation.kind_by_extension(filename) == media_type
    return f"{media_type}/{subtype}" if is_known else "application/octet-stream"


def shown_inputs(app: catalogue.App, values: dict[int, Any], origin: str) -> list[dict[str, Any]]:
    """Return the inputs that pictures should show. Inputs that weren't sent get their default value."""
    inputs = []
    for position, parameter in enumerate(app["parameters"]):
        value = values.get(position, views.rewrite(parameter.get("default"), origin))
        inputs.append({"name": parameter["name"], "type": parameter.get("type"), "value": value})
    return inputs


def _requested_outputs(app: catalogue.App, labels: Any, dialect: Dialect) -> list[dict[str, Any]]:
    """Return the outputs with these labels (ignoring case), or all outputs if no labels are given. Raises ApiError 400
    for invalid labels."""
    outputs = app.get("outputs")
    if outputs is None:
        return [{"index": 0, "label": "AI Designer", "type": "image"}]
    if labels is None or labels == []:
        return [dict(output) for output in outputs]
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise ApiError(400, "outputs must be a list of labels", dialect=dialect)
    for label in labels:
        if label.casefold() not in {output["label"].casefold() for output in outputs}:
            problem = validation.problem("outputs", "invalid_option", f'unknown output "{label}"')
            raise ApiError(400, "Invalid outputs", details=[problem], dialect=dialect)
    folded = {label.casefold() for label in labels}
    return [dict(output) for output in outputs if output["label"].casefold() in folded]


def _webhook(address: str | None) -> str | None:
    if address is None:
        return None
    try:
        parts = urlsplit(address)
        if parts.scheme in {"http", "https"} and parts.hostname and (parts.port is None or parts.port > 0):
            return address
    except ValueError:
        pass
    raise ApiError(400, "The webhook address must be a valid http or https URL", "WEBHOOK_INVALID_URL")


def _moment(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ApiError(400, "since must be an ISO 8601 time") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
