"""Find out which inputs an error is about, whatever the format of its details.

Lamina sends an array of unspecified items, a list of sentences (legacy) or nested objects. We look for what all these
formats have in common: an identifier ("handle") and a complaint.
"""

import re
from collections.abc import Iterator
from typing import Any

from runs.lamina import coerce
from runs.lamina.errors import FieldError

_MOST = 100
_MAX_DEPTH = 8
# Read at most this many characters of each complaint, because the patterns below may scan it many times
_TEXT_LENGTH = 2000
_HANDLES = ("field", "param", "parameter", "input", "path", "loc", "key", "name", "property", "id")
_COMPLAINTS = ("message", "error", "msg", "detail", "description", "reason")
_CODES = ("code", "type", "rule", "reason", "error")
_WRAPPERS = ("errors", "details", "issues", "fieldErrors", "fields", "inputs", "error")
_ROOTS = frozenset({"inputs", "body", "data", "query"})
_CODE = re.compile(r"[A-Za-z]+(?:[_-][A-Za-z]+)+\Z")
# `"Style": invalid option "Manga"`; the name may contain quotes, so it ends at the first quote before a colon.
_QUOTED_FIRST = re.compile(r"""\s*["“'`](?P<field>.{1,500}?)["”'`]\s*:\s*(?P<message>.+)\Z""", re.DOTALL)
_QUOTED_ANYWHERE = re.compile(r"""(?<!\w)(?P<quote>["'`“])(?P<field>.{1,500}?)["'`”](?!\w)""", re.DOTALL)
# `Unknown parameter: Style`, `unknown_parameter: Style`
_NAMED_LAST = re.compile(
    r"""\s*(?:unknown|unexpected|unrecogni[sz]ed)[\s_-]+(?:parameter|input|field)s?\s*:\s*(?P<field>[^\n]{1,500}?)\s*\Z""",
    re.IGNORECASE,
)
_ABOUT_AN_INPUT = re.compile(r"\b(missing|required|unknown|unexpected|unrecogni[sz]ed|invalid|must)\b", re.IGNORECASE)
_PLAIN_FIRST = re.compile(r"(?P<field>[^:\n]{1,80}?)\s*:\s+\S")
_CODE_WORDS = (
    ("invalid option", "invalid_option"),
    ("must be one of", "invalid_option"),
    ("unknown", "unknown_parameter"),
    ("missing", "missing_no_default"),
    ("required", "missing_no_default"),
    ("media", "invalid_media"),
    ("type", "invalid_type"),
    ("must be a", "invalid_type"),
)


def read_field_errors(body: Any) -> list[FieldError]:
    """Return up to 100 complaints in `body` that name an input, in order and without duplicates."""
    if not isinstance(body, dict):
        return []
    problems: dict[FieldError, None] = {}
    for name in _WRAPPERS:
        for problem in _walk(body.get(name), 0, is_sentence=name == "error"):
            problems.setdefault(problem)
            if len(problems) >= _MOST:
                return list(problems)
    return list(problems)


def _walk(value: Any, depth: int, *, is_sentence: bool = False) -> Iterator[FieldError]:
    if depth > _MAX_DEPTH:
        return
    match value:
        case str():
            yield from _from_text(value, is_sentence=is_sentence)
        case list():
            for item in value:
                yield from _walk(item, depth + 1)
        case dict():
            yield from _from_object(value, depth)


def _from_text(text: str, *, is_sentence: bool = False) -> Iterator[FieldError]:
    """Read a legacy error message. If `is_sentence` is set, it's the error's headline, and only its start may name an
    input."""
    text = text[:_TEXT_LENGTH]
    if match := _QUOTED_FIRST.match(text):
        yield FieldError(match["field"], _code_for(match["message"]), match["message"].strip())
    elif match := _NAMED_LAST.match(text):
        yield FieldError(match["field"].strip("\"“”'`"), "unknown_parameter", text.strip())
    elif is_sentence:
        return
    elif _ABOUT_AN_INPUT.search(text) and (match := _QUOTED_ANYWHERE.search(text)):
        yield FieldError(match["field"], _code_for(text), text.strip())
    elif match := _PLAIN_FIRST.match(text):
        yield FieldError(match["field"].strip(), _code_for(text), text.strip())


def _from_object(entry: dict[str, Any], depth: int) -> Iterator[FieldError]:
    handle = next((field for name in _HANDLES if (field := _handle(entry.get(name)))), "")
    complaint = next((text for name in _COMPLAINTS if (text := _plain(entry.get(name)))), "")
    code = next((text for name in _CODES if _CODE.match(text := _plain(entry.get(name)))), "")
    if handle and (complaint or code):
        message = "" if _CODE.match(complaint) else complaint
        yield FieldError(handle, code or _code_for(complaint), message, _allowed(message, entry))
        return
    wrapped = [entry[name] for name in _WRAPPERS if isinstance(entry.get(name), dict | list)]
    for inner in wrapped:
        yield from _walk(inner, depth + 1)
    if not wrapped and not handle and not complaint and not code:
        yield from _from_mapping(entry, depth)
    elif not wrapped and complaint:
        yield from _from_text(complaint, is_sentence=depth == 0)


def _from_mapping(entry: dict[str, Any], depth: int) -> Iterator[FieldError]:
    """Read `{"Style": "invalid option"}` or `{"Style": ["…", {…}]}`, where the keys identify inputs."""
    for field, complaints in entry.items():
        for complaint in complaints if isinstance(complaints, list) else [complaints]:
            if text := _plain(complaint):
                yield FieldError(field, _code_for(text), text)
            elif isinstance(complaint, dict):
                yield from _walk({"field": field, **complaint}, depth + 1)


def _plain(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _handle(value: Any) -> str:
    """Return the name of an input, given as a string, a path ("inputs.Style") or steps (["inputs", "Style", 0])."""
    if isinstance(value, list):
        steps = [step for step in value if isinstance(step, str) and step not in _ROOTS]
        return steps[0] if steps else ""
    text = coerce.as_text(value) if isinstance(value, str) else ""
    for root in _ROOTS:
        if text.startswith(f"{root}."):
            return text.removeprefix(f"{root}.")
    return "" if text in _ROOTS else text


def _allowed(message: str, entry: dict[str, Any]) -> tuple[str, ...]:
    """Return the values that Lamina would accept, unless `message` already names them."""
    allowed = [choice for choice in coerce.as_texts(entry.get("allowed")) if choice]
    return () if any(choice in message for choice in allowed) else tuple(allowed)


def _code_for(message: str) -> str:
    lowered = message.lower()
    return next((code for words, code in _CODE_WORDS if words in lowered), "")
