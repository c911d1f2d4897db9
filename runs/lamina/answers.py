"""Parse the body of a successful response into our objects. If that fails, raise `UnreadableAnswer`; never guess.

Unreadable items in a list are skipped, but `data` must be a list. If we accepted anything else, the response could be
mistaken for "no apps" (emptying the catalogue) or "no runs" (repeating a start and paying for it twice).
"""

import json
from typing import Any

from pydantic import BaseModel, ValidationError

from runs.lamina import coerce
from runs.lamina.fields import readable
from runs.lamina.types import AppDetail, Estimate, RunRow, RunRows, RunSnapshot, UploadTarget, Usage

_ERROR_NAMES = ("error", "code", "message")


class UnreadableAnswer(Exception):
    """Raised when a response doesn't contain what we requested."""


def _finite(number: str) -> float | str:
    """Parse a float, keeping infinite values as text: 1e999 is valid JSON, but can't be stored or sent."""
    value = float(number)
    return value if abs(value) != float("inf") else number


def decode(body: bytes, secret: str = "") -> Any:
    """Parse `body` as JSON. Replaces characters that can't be stored, and masks `secret`. Raises `UnreadableAnswer`."""
    try:
        parsed = json.loads(
            body.decode("utf-8-sig", errors="replace"), parse_constant=lambda _: None, parse_float=_finite, strict=False
        )
        return coerce.clean_json(parsed, secret)
    except (ValueError, RecursionError):
        raise UnreadableAnswer from None


def data_of(body: Any) -> Any:
    """Return the value of `data`, or the whole body if the response has no `data`."""
    return body["data"] if isinstance(body, dict) and "data" in body else body


def one[T: BaseModel](model: type[T], body: Any) -> T:
    """Parse the single object in `body`. Raises `UnreadableAnswer`."""
    data = data_of(body)
    if not isinstance(data, dict) or not data:
        raise UnreadableAnswer
    try:
        return model.model_validate(data)
    except ValidationError:
        raise UnreadableAnswer from None


def rows[T: BaseModel](model: type[T], body: Any) -> tuple[list[T], int]:
    """Return the readable items of a list, and how many are unreadable. Raises `UnreadableAnswer` if none of them are
    readable."""
    data = data_of(body)
    if not isinstance(data, list):
        raise UnreadableAnswer
    items = readable(model, data)
    if data and not items:
        raise UnreadableAnswer
    return items, len(data) - len(items)


def app_like[T: AppDetail](model: type[T], body: Any, app_id: str) -> T:
    """Parse an app; if the response has no id, use `app_id`, the id that was requested.

    Raises `UnreadableAnswer` if there is no list of parameters, unless the app has an id and a name, or if none of them
    are readable: an error sent with status 200 must not look like an app that has lost all its fields.
    """
    data = data_of(body)
    if not isinstance(data, dict):
        raise UnreadableAnswer
    is_named = coerce.as_id(data.get("appId")) and data.get("name")
    if is_named and data.get("parameters") is None:
        data = {**data, "parameters": []}
    if not isinstance(data.get("parameters"), list):
        raise UnreadableAnswer
    if not coerce.as_id(data.get("appId")):
        if _is_error(body):
            raise UnreadableAnswer
        data = {**data, "appId": app_id}
    app = one(model, {"data": data})
    if data["parameters"] and not app.parameters:
        raise UnreadableAnswer
    return app


def estimate(body: Any) -> Estimate:
    """Parse an estimate. Without any number, the cost is unknown, but then the response must be about an app."""
    result = one(Estimate, body)
    if (result.expected, result.min, result.max) == (None, None, None):
        _ensure_has(body, "estimatedCredits", "appId")
    return result


def usage(body: Any) -> Usage:
    """Parse the credits of the workspace. Without any number, they are unknown, but the response must mention them."""
    result = one(Usage, body)
    if (result.balance, result.spent) == (None, None):
        _ensure_has(body, "credits", "balance")
    return result


def _ensure_has(body: Any, *names: str) -> None:
    """Raise `UnreadableAnswer` if `body` is an error object or has none of `names`."""
    if _is_error(body) or not set(names) & data_of(body).keys():
        raise UnreadableAnswer


def _is_error(body: Any) -> bool:
    """Return whether `body` or its `data` has a part of an error object, although the status is 2xx."""
    places = [place for place in (body, data_of(body)) if isinstance(place, dict)]
    return any(place.get(name) for place in places for name in _ERROR_NAMES)


def snapshot(body: Any, run_id: str) -> RunSnapshot:
    """Parse the run `run_id`. Raises `UnreadableAnswer` if the response has a different id or no status."""
    data = data_of(body)
    if isinstance(data, dict) and data and not any(coerce.as_id(data.get(name)) for name in ("runId", "executionId")):
        data = {**data, "runId": run_id}
    run = one(RunSnapshot, {"data": data})
    if not run.status or run.run_id.casefold() != run_id.casefold():
        raise UnreadableAnswer
    return run


def page(body: Any, limit: int, offset: int) -> RunRows:
    """Parse one page of runs. `total` is the number that Lamina reports, or the number of runs seen so far if that is
    higher."""
    runs, skipped = rows(RunRow, body)
    pagination = body.get("pagination") if isinstance(body, dict) else None
    total = coerce.as_count(pagination.get("total")) if isinstance(pagination, dict) else 0
    count = offset + len(runs) + skipped
    return RunRows(rows=runs, total=max(total, count), limit=limit, offset=offset, skipped=skipped)


def status_word(body: Any) -> str:
    """Return the status in the response to a cancel request, or "" if there is none."""
    data = data_of(body)
    if data is not None and not isinstance(data, dict):
        raise UnreadableAnswer
    return coerce.as_word((data or {}).get("status"))


def targets(body: Any, names: list[str]) -> list[UploadTarget]:
    """Return an upload target for each of `names`, matched by position, or by name if the order differs."""
    data = data_of(body)
    uploads = readable(UploadTarget, data.get("uploads") if isinstance(data, dict) else data)
    if len(uploads) != len(names):
        raise UnreadableAnswer
    if all(target.filename in {"", name} for target, name in zip(uploads, names, strict=True)):
        return uploads
    by_name = {target.filename: target for target in uploads}
    if sorted(by_name) == sorted(names):
        return [by_name[name] for name in names]
    if len({target.filename for target in uploads} & set(names)) == 0:
        return uploads  # Lamina has renamed every file, so we can only match by position
    raise UnreadableAnswer


def keys(body: Any) -> list[dict[str, Any]]:
    """Return the JWKs, which may be at the top level (as documented) or in `data` like everything else."""
    holder = body if isinstance(body, dict) and "keys" in body else data_of(body)
    jwks = holder.get("keys") if isinstance(holder, dict) else None
    if not isinstance(jwks, list):
        raise UnreadableAnswer
    return [key for key in jwks if isinstance(key, dict)]
