"""Checks the inputs of a new run as strictly as Lamina does, and reports all problems at once."""

import ipaddress
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

Problem = dict[str, Any]
# Returns the media kind of a URL on this server ("image", "video" or "audio"), "" for a URL on another server, and None
# if the file is missing.
KindOf = Callable[[str], str | None]
NAMES = ("key", "id", "name")
EXTENSIONS = {
    "image": {"png", "jpg", "jpeg", "webp", "gif", "heic", "heif", "avif", "bmp", "tiff", "tif"},
    "video": {"mp4", "mov", "webm", "m4v", "mkv"},
    "audio": {"mp3", "wav", "m4a", "ogg", "flac", "aac"},
}


def kind_by_extension(path: str) -> str:
    extension = path.rpartition(".")[2].lower()
    return next((kind for kind, extensions in EXTENSIONS.items() if extension in extensions), "")


def resolve(parameters: list[dict[str, Any]], supplied: str, names: Sequence[str] = NAMES) -> int | None:
    """Return the position of the parameter called `supplied`, trying the attributes in `names` in order."""
    for attribute in names:
        for position, parameter in enumerate(parameters):
            if parameter.get(attribute) == supplied:
                return position
    return None


def check_inputs(
    parameters: list[dict[str, Any]],
    inputs: dict[str, Any],
    kind_of: KindOf,
    *,
    names: Sequence[str] = NAMES,
    unknown_first: bool = False,
) -> tuple[dict[int, Any], list[Problem]]:
    """Return the values, keyed by parameter position, and every problem found.

    `names` are the attributes that identify inputs. With `unknown_first`, if there are any unknown names, nothing else
    is reported.
    """
    values: dict[int, Any] = {}
    problems: list[Problem] = []
    for supplied, value in inputs.items():
        position = resolve(parameters, supplied, names)
        if position is None:
            problems.append(problem(supplied, "unknown_parameter", "unknown parameter"))
            continue
        values[position] = value
        found = check_value(parameters[position], value, kind_of)
        if found:
            problems.append(found)
    unknown = [one for one in problems if one["code"] == "unknown_parameter"]
    if unknown and unknown_first:
        return values, unknown
    for position, parameter in enumerate(parameters):
        if position not in values and parameter.get("default") is None:
            message = "has no default and must be supplied"
            problems.append(problem(parameter["name"], "missing_no_default", message))
    return values, problems


def problem(name: str, code: str, message: str, **more: Any) -> Problem:
    return {"field": name, "code": code, "error": code, "message": message, **more}


def check_value(parameter: dict[str, Any], value: Any, kind_of: KindOf) -> Problem | None:
    kind, name = parameter.get("type"), parameter["name"]
    if kind == "options":
        return _check_options(parameter, value)
    if kind == "url":
        return _check_url(parameter, value, kind_of)
    # As on Lamina, text parameters also accept numbers and booleans.
    if not isinstance(value, str | bool | int | float):
        return problem(name, "invalid_type", "must be a string", got=type(value).__name__)
    if value == "" and parameter.get("default") is None:
        return problem(name, "missing_no_default", "has no default and must be supplied")
    return None


def _check_options(parameter: dict[str, Any], value: Any) -> Problem | None:
    name, allowed = parameter["name"], parameter.get("options") or []
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(one, str) for one in values):
        return problem(name, "invalid_type", "must be one of the listed options", got=type(value).__name__)
    for one in values:
        if one not in allowed:
            message = f'invalid option "{one}". Must be one of: {", ".join(allowed)}'
            return problem(name, "invalid_option", message, allowed=allowed, got=one)
    return None


def _check_url(parameter: dict[str, Any], value: Any, kind_of: KindOf) -> Problem | None:
    name = parameter["name"]
    is_list = isinstance(value, list)
    if is_list and not parameter.get("multiple") and len(value) != 1:
        return problem(name, "invalid_type", "takes one address, not a list", got="list")
    addresses = value if is_list else [value]
    if not all(isinstance(one, str) for one in addresses):
        return problem(name, "invalid_type", "must be an http or https address", got=type(value).__name__)
    for address in addresses:
        reason = _why_not_media(address, parameter.get("accept") or [], kind_of)
        if reason:
            return problem(name, "invalid_media", reason, got=address)
    return None


def _why_not_media(address: str, accept: list[str], kind_of: KindOf) -> str:
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return "is not a valid address"
    if parts.scheme not in {"http", "https"} or not host:
        return "must be an http or https address"
    kind = kind_of(address)
    if kind is None:
        return "could not be loaded"
    if not kind:
        if is_private(host):
            return "could not be loaded: private addresses cannot be reached"
        kind = kind_by_extension(unquote(parts.path))
    if kind and accept and kind not in accept:
        return f"must be {' or '.join(accept)}, not {kind}"
    return ""


def is_private(host: str) -> bool:
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False
