"""Builds the objects that the API sends."""

from typing import Any

from runs.sandbox import lifecycle, texts
from runs.sandbox.job import job_of
from runs.sandbox.lifecycle import Run

# The same for all stored films and sounds.
VIDEO_SIZE, VIDEO_SECONDS, AUDIO_SECONDS = (360, 640), 2.5, 5.0
MEDIA = {
    "image": ("jpg", "image/jpeg"),
    "video": ("webm", "video/webm"),
    "audio": ("wav", "audio/wav"),
    "text": ("txt", "text/plain"),
}
OTHER_MEDIA = ("obj", "model/obj")  # the file type to use for outputs of an unknown type


def rewrite(value: Any, origin: str) -> Any:
    """Replace Lamina's media URLs, and any example.com URLs, with the URLs of sample files on this server."""
    if isinstance(value, str):
        for prefix in ("https://media.getmason.io/api/assetlib/", "https://example.com/"):
            if value.startswith(prefix):
                return f"{origin}/samples/{value.removeprefix(prefix)}"
    if isinstance(value, list):
        return [rewrite(item, origin) for item in value]
    return value


def app_summary(app: dict[str, Any], origin: str) -> dict[str, Any]:
    four = {
        "appId": app["appId"],
        "name": app["name"],
        "description": app.get("description"),
        "isPublic": app.get("isPublic", True),
    }
    if app["sandbox"].get("legacy"):
        return four
    types = output_types(app)
    required = [p for p in app["parameters"] if p.get("default") is None]
    optional = [p for p in app["parameters"] if p.get("default") is not None]
    return four | {
        "icon": None,
        "modality": types[0] if types else None,
        "outputFormats": types,
        "capabilities": capabilities(app),
        "inputSummary": {
            "required": [_brief(p) for p in required],
            "optional": [_brief(p) for p in optional],
            "total": len(app["parameters"]),
        },
        "thumbnail": thumbnail(app, origin),
        **app["sandbox"].get("extraSummary", {}),
    }


def output_types(app: dict[str, Any]) -> list[str]:
    return list(dict.fromkeys(output["type"] for output in app.get("outputs") or []))


def capabilities(app: dict[str, Any]) -> dict[str, Any]:
    types = output_types(app)
    return {
        "produces": types,
        "strengths": [],
        "bestFor": [],
        "limitations": [],
        "outputFormats": types,
        "nodeTypes": ["aiDesignerNode"],
        "hasQualityControl": False,
        "hasHumanApproval": False,
        "generationStepCount": len(app.get("outputs") or []),
    }


def _brief(parameter: dict[str, Any]) -> dict[str, Any]:
    return {name: parameter[name] for name in ("name", "type") if name in parameter}


def thumbnail(app: dict[str, Any], origin: str) -> dict[str, str] | None:
    setting = app["sandbox"].get("thumbnail", "image")
    if setting is None:
        return None
    if isinstance(setting, dict):
        return {key: rewrite(value, origin) for key, value in setting.items()}
    extension = "webm" if setting == "video" else "webp"
    return {"url": f"{origin}/thumbs/{app['appId']}.{extension}", "type": setting}


def app_detail(app: dict[str, Any], origin: str) -> dict[str, Any]:
    detail = {key: value for key, value in app.items() if key not in {"sandbox", "isPublic", "thumbnail"}}
    detail["parameters"] = [
        parameter | ({"default": rewrite(parameter["default"], origin)} if "default" in parameter else {})
        for parameter in app["parameters"]
    ]
    if app["sandbox"].get("legacy"):
        detail.pop("outputs", None)
    return detail


def run_started(run: Run) -> dict[str, Any]:
    started: dict[str, Any] = {
        "executionId" if run.is_legacy else "runId": run.run_id,
        "workflowId": run.app_id,
        "workflowName": run.app_name,
        "status": "queued",
    }
    if run.webhook:
        started["webhookUrl"] = run.webhook
    if not run.is_legacy:
        started["outputs"] = [_placeholder(run, position) for position in range(len(run.outputs))]
    return started


def run_status(run: Run, now: float, origin: str) -> dict[str, Any]:
    """Return the status of a run. The older dialect uses `executionId` and doesn't report progress."""
    outputs = [output(run, position, now, origin) for position in range(len(run.outputs))]
    states = [one["status"] for one in outputs]
    status = lifecycle.status_at(run, now)
    body: dict[str, Any] = {
        "executionId" if run.is_legacy else "runId": run.run_id,
        "workflowId": run.app_id,
        "status": status,
        "outputs": outputs,
        "errorMessage": lifecycle.error_message(run, now),
        "createdAt": lifecycle.iso(run.created_at),
        "startedAt": lifecycle.iso(lifecycle.started_at(run, now)),
        "completedAt": lifecycle.iso(run.ends_at) if status in lifecycle.FINAL else None,
    }
    if not run.is_legacy:
        body["progress"] = {
            "totalOutputs": len(states),
            "completedOutputs": states.count("completed"),
            "failedOutputs": states.count("error"),
            "percentComplete": _percent(run, now, status),
        }
    return body


def _percent(run: Run, now: float, status: str) -> int | None:
    if status == "completed":
        return 100
    if run.seconds <= 0 or run.outcome == "never":
        return None
    return max(0, min(99, int(100 * (now - run.created_at) / run.seconds)))


def run_row(run: Run, now: float) -> dict[str, Any]:
    status = lifecycle.status_at(run, now)
    return {
        "executionId" if run.is_legacy else "runId": run.run_id,
        "workflowId": run.app_id,
        "status": status,
        "source": "api_app",
        "errorMessage": lifecycle.error_message(run, now),
        "startedAt": lifecycle.iso(lifecycle.started_at(run, now)),
        "completedAt": lifecycle.iso(run.ends_at) if status in lifecycle.FINAL else None,
        "createdAt": lifecycle.iso(run.created_at),
    }


def run_for_tests(run: Run, now: float) -> dict[str, Any]:
    """Return a run the way the control API reports it."""
    status = lifecycle.status_at(run, now)
    return {
        "runId": run.run_id,
        "appId": run.app_id,
        "status": status,
        "inputs": run.inputs,
        "outputs": [one["label"] for one in run.outputs],
        "createdAt": lifecycle.iso(run.created_at),
        "finishedAt": lifecycle.iso(run.ends_at) if status in lifecycle.FINAL else None,
        "landsAt": [lifecycle.iso(run.lands_at(position)) for position in range(len(run.outputs))],
        "toldAt": None if run.told_at is None else lifecycle.iso(run.told_at),  # when a stream reported the end
        "cancelled": status == "cancelled",
        "webhook": run.webhook,
    }


def _placeholder(run: Run, position: int) -> dict[str, Any]:
    return {
        "id": lifecycle.node_id(run.run_id, position),
        "label": run.outputs[position]["label"],
        "type": "pending",
        "value": None,
        "status": "pending",
        "error": None,
    }


def output(run: Run, position: int, now: float, origin: str) -> dict[str, Any]:
    state = lifecycle.output_state(run, position, now)
    body = _placeholder(run, position) | {"status": state}
    if state == "error":
        # On failure, the type stays `pending`; only the status shows that the output failed.
        body["error"] = run.error or lifecycle.OUTPUT_FAILURE_TEXT
        if lifecycle.status_at(run, now) == "failed":
            body["error"] = lifecycle.error_message(run, now)
    if state == "completed":
        body |= _result(run, position, origin)
    return body


def _result(run: Run, position: int, origin: str) -> dict[str, Any]:
    kind = run.outputs[position]["type"]
    extension, media_type = MEDIA.get(kind, OTHER_MEDIA)
    address = f"{origin}/outputs/{run.run_id}/{position}"
    revision = run.revisions.get(str(position), 0)
    if revision:
        address += f".r{revision}"  # an output gets a new URL each time it is remade
    result: dict[str, Any] = {
        "type": run.types.get(str(position), kind),
        "mimeType": media_type,
        "value": run.values.get(str(position), f"{address}.{extension}"),
        "contentDescription": None,
    }
    if result["value"] == "@list":
        result["value"] = [f"{address}.{extension}", f"{address}-1.{extension}", f"{address}-2.{extension}"]
    elif result["value"] == "@object":
        variant = {"url": f"{address}-1.{extension}"}
        result["value"] = {"main": f"{address}.{extension}", "variant": variant, "seed": 4711}
    if kind == "video":
        result |= {"dimensions": {"width": VIDEO_SIZE[0], "height": VIDEO_SIZE[1]}, "durationSeconds": VIDEO_SECONDS}
    elif kind == "text" and str(position) not in run.values:
        result["value"] = texts.write(job_of(run, position, revision=revision))
    elif kind == "audio":
        result["durationSeconds"] = AUDIO_SECONDS
    if run.outcome == "no_output":
        result["value"] = None
    return result
