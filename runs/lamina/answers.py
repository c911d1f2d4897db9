"""From the bytes of a successful answer to our objects. What cannot be read is `Unreadable`, never a guess.

The inside of a list is tolerant, its outside is not: an answer whose `data` is no list at all must not pass for "no
apps" (the catalogue would empty) or "no runs" (a start would be repeated, and paid twice).
"""

import json
from typing import Any

from pydantic import BaseModel, ValidationError

from runs.lamina import coerce
from runs.lamina.fields import readable
from runs.lamina.types import RunPage, RunRow, RunSnapshot, UploadTarget


class Unreadable(Exception):
    """The answer is not what was asked for."""


def _finite(number: str) -> float | str:
    """1e999 is valid JSON but no number that could be stored or sent: it stays text."""
    value = float(number)
    return value if abs(value) != float("inf") else number


def decode(body: bytes, secret: str = "") -> Any:
    """The JSON in BODY, made storable, with SECRET blotted out. Raises Unreadable."""
    try:
        parsed = json.loads(
            body.decode("utf-8-sig", errors="replace"), parse_constant=lambda _: None, parse_float=_finite, strict=False
        )
        return coerce.clean_json(parsed, secret)
    except (ValueError, RecursionError):
        raise Unreadable from None


def data_of(body: Any) -> Any:
    """What the answer wraps in `data`; some replies wrap nothing."""
    return body["data"] if isinstance(body, dict) and "data" in body else body


def one[T: BaseModel](model: type[T], body: Any) -> T:
    """The one object in BODY."""
    data = data_of(body)
    if not isinstance(data, dict) or not data:
        raise Unreadable
    try:
        return model.model_validate(data)
    except ValidationError:
        raise Unreadable from None


def rows[T: BaseModel](model: type[T], body: Any) -> tuple[list[T], int]:
    """The readable objects of the list in BODY and the number of the others; not readable at all when none is."""
    data = data_of(body)
    if not isinstance(data, list):
        raise Unreadable
    found = readable(model, data)
    if data and not found:
        raise Unreadable
    return found, len(data) - len(found)


def app_like[T: BaseModel](model: type[T], body: Any, app_id: str) -> T:
    """An app; its id is the one asked for when the answer leaves it out."""
    data = data_of(body)
    if isinstance(data, dict) and data and not coerce.as_id(data.get("appId")):
        data = {**data, "appId": app_id}
    return one(model, {"data": data})


def snapshot(body: Any, run_id: str) -> RunSnapshot:
    """The run that was asked for; one with another id or without a status is not it."""
    data = data_of(body)
    if isinstance(data, dict) and data and not any(coerce.as_id(data.get(name)) for name in ("runId", "executionId")):
        data = {**data, "runId": run_id}
    found = one(RunSnapshot, {"data": data})
    if not found.status or found.run_id.casefold() != run_id.casefold():
        raise Unreadable
    return found


def page(body: Any, limit: int, offset: int) -> RunPage:
    """One page of runs; the total is what they tell, but at least what has been seen."""
    found, skipped = rows(RunRow, body)
    pagination = body.get("pagination") if isinstance(body, dict) else None
    told = coerce.as_count(pagination.get("total")) if isinstance(pagination, dict) else 0
    seen = offset + len(found) + skipped
    return RunPage(rows=found, total=max(told, seen), limit=limit, offset=offset, skipped=skipped)


def status_word(body: Any) -> str:
    """The status an answer to a cancel gives, "" when it gives none."""
    data = data_of(body)
    if data is not None and not isinstance(data, dict):
        raise Unreadable
    return coerce.as_word((data or {}).get("status"))


def targets(body: Any, names: list[str]) -> list[UploadTarget]:
    """One target for each of NAMES, in their order: matched by position, by name where the order differs."""
    data = data_of(body)
    uploads = readable(UploadTarget, data.get("uploads") if isinstance(data, dict) else data)
    if len(uploads) != len(names):
        raise Unreadable
    if all(target.filename in {"", name} for target, name in zip(uploads, names, strict=True)):
        return uploads
    by_name = {target.filename: target for target in uploads}
    if sorted(by_name) == sorted(names):
        return [by_name[name] for name in names]
    if len({target.filename for target in uploads} & set(names)) == 0:
        return uploads  # they renamed every file: the order is all there is
    raise Unreadable


def keys(body: Any) -> list[dict[str, Any]]:
    """The JWK set, unwrapped as documented or wrapped as everything else."""
    holder = body if isinstance(body, dict) and "keys" in body else data_of(body)
    found = holder.get("keys") if isinstance(holder, dict) else None
    if not isinstance(found, list):
        raise Unreadable
    return [key for key in found if isinstance(key, dict)]
