"""Structured results (JSON objects and arrays), shown as a readable tree or table.

They are parsed from the text of the result, because PostgreSQL doesn't keep the order of fields in `Output.raw_value`.
Parsing stops once there's enough to show, no matter how long, deep or broken the text is.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from runs.models import Output

MOST_SHOWN = 400  # maximum number of fields, items and values to show
MOST_COPIED = 5_000
DEEPEST = 6  # levels of nesting shown on a page; copied text has all of them
COLUMNS = 6
CELL_LENGTH = 200
LABEL_LENGTH = 80
NOTHING = "–"  # noqa: RUF001 - a dash, as in tables
CUT = "[…]"  # ends text that was too long to store in full
TOKEN = re.compile(r'([{}\[\],:])|"((?:[^"\\]++|\\.)*+)(?:"|\\?\Z)|([^\s{}\[\],:"]++)', re.DOTALL)
BROKEN_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{0,3})?\Z")
IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[_-][A-Za-z0-9]+)*")
WORD_STARTS = re.compile(r"[_-]|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True)
class JsonValue:
    """A value: text, an object (`fields`), a list (`items`), or a table (`columns`, and `rows` of strings)."""

    label: str = ""
    text: str = ""
    fields: list["JsonValue"] = field(default_factory=list)
    items: list["JsonValue"] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True)
class Tree:
    """A whole value. `plain` is the same value as lines of text, for the Copy button."""

    root: JsonValue
    plain: str
    is_cut: bool  # the page doesn't show all of it


@dataclass(frozen=True)
class FileNames:
    """What to show instead of URLs. URLs of saved files are replaced by the files' `names`, all other URLs by `other`
    (or not at all if `other` is "")."""

    names: Mapping[str, str] = field(default_factory=dict)
    other: str = ""

    def text_of(self, text: str) -> str:
        is_address = text.startswith(("https://", "http://"))
        return self.names.get(text) or (self.other if is_address and self.other else text)


def tree_of(output: Output, files: FileNames) -> Tree | None:
    """Return the tree of a structured result; None for any other result."""
    if not output.is_object:
        return None
    start, is_cut = read_start(output.text, MOST_SHOWN)
    copied, is_copy_cut = read_start(output.text, MOST_COPIED)
    lines = [*_lines(copied, files), *([CUT] if is_copy_cut else [])]
    return Tree(_part("", start, files), "\n".join(lines), is_cut or _depth(start) > DEEPEST)


def excerpt(text: str) -> str:
    """Return a one-line excerpt of a structured value, without URLs, from the start of its stored text."""
    value, _is_cut = read_start(text, MOST_SHOWN)
    lines = (line.strip().removeprefix("- ") for line in _lines(value, FileNames(other=NOTHING)))
    return " · ".join(line for line in lines if not line.endswith((":", NOTHING)))


def read_start(text: str, most: int) -> tuple[Any, bool]:
    """Parse the start of `text`, up to `most` fields and items. Return the value and whether anything was left out."""
    is_cut = text.endswith(CUT)
    top: list[Any] = []
    stack: list[list[Any] | dict[str, Any]] = [top]
    key: str | None = None
    count = 0
    for token in TOKEN.finditer(text.removesuffix(CUT)):
        mark, quoted, word = token.groups()
        inner = stack[-1]
        if mark in ("}", "]"):
            stack[1:] = stack[1:-1]
            key = None
        elif mark in (",", ":"):
            pass
        elif isinstance(inner, dict) and key is None:
            key = None if quoted is None else _unquoted(quoted)
        elif count == most:
            is_cut = True
            break
        else:
            count += 1
            value = _value(mark, quoted, word)
            _add(inner, key, value)
            key = None
            if isinstance(value, dict | list):
                stack.append(value)
    return (top[0] if top else ""), is_cut or len(stack) > 1


def _value(mark: str | None, quoted: str | None, word: str) -> Any:
    """Return the value that begins at a token: an empty object, an empty list, or a text."""
    if mark:
        return {} if mark == "{" else []
    return _literal(word) if quoted is None else _unquoted(quoted)


def _add(inner: list[Any] | dict[str, Any], key: str | None, value: object) -> None:
    """Add `value` to the innermost list or object."""
    if isinstance(inner, dict):
        inner[key or ""] = value
    else:
        inner.append(value)


def _unquoted(quoted: str) -> str:
    whole = BROKEN_ESCAPE.sub("", quoted)
    try:
        return str(json.loads(f'"{whole}"', strict=False))
    except ValueError:
        return whole


def _literal(word: str) -> str:
    """Return true and false as "Yes" and "No", null as "", and anything else, such as a number, unchanged."""
    return {"true": _("Yes"), "false": _("No"), "null": ""}.get(word, word)


def _depth(value: Any) -> int:
    if not isinstance(value, dict | list):
        return 0
    return 1 + max(map(_depth, value.values() if isinstance(value, dict) else value), default=0)


def _part(label: str, value: Any, files: FileNames, level: int = 0) -> JsonValue:
    """Return a `JsonValue` that shows `value` at this level of nesting."""
    if not isinstance(value, dict | list) or not value:
        return JsonValue(label, _text(value, files))
    if level == DEEPEST:
        return JsonValue(label, "…")
    if isinstance(value, dict):
        fields = [_part(field_words(name), item, files, level + 1) for name, item in value.items()]
        return JsonValue(label, fields=fields)
    if columns := _columns(value):
        rows = [[_text(row[name], files) for name in columns] for row in value]
        return JsonValue(label, columns=[field_words(name) for name in columns], rows=rows)
    return JsonValue(label, items=[_part("", item, files, level + 1) for item in value])


def _columns(items: list[Any]) -> list[str]:
    """Return the columns for showing `items` as a table; none unless they're two or more objects with the same few
    fields, all of them short text."""
    first = items[0]
    if len(items) < 2 or not isinstance(first, dict) or not 1 < len(first) <= COLUMNS:
        return []
    is_alike = all(isinstance(item, dict) and item.keys() == first.keys() for item in items)
    return list(first) if is_alike and all(_fits_cell(cell) for item in items for cell in item.values()) else []


def _fits_cell(value: Any) -> bool:
    return len(value) <= CELL_LENGTH if isinstance(value, str) else not value


def _lines(value: Any, files: FileNames, indent: str = "") -> Iterator[str]:
    """Yield `value` as indented lines."""
    if not isinstance(value, dict | list) or not value:
        yield f"{indent}{_text(value, files)}"
    elif isinstance(value, list):
        for item in value:
            first, *more = _lines(item, files, f"{indent}  ")
            yield f"{indent}- {first.lstrip()}"
            yield from more
    else:
        for name, item in value.items():
            has_more = isinstance(item, dict | list) and bool(item)
            yield f"{indent}{field_words(name)}:{'' if has_more else f' {_text(item, files)}'}"
            yield from _lines(item, files, f"{indent}  ") if has_more else ()


def _text(value: Any, files: FileNames) -> str:
    return files.text_of(value) or NOTHING if isinstance(value, str) else NOTHING


def field_words(name: str) -> str:
    """Return a field name in words: "hexCode" and "hex_code" become "Hex code". Other names are left alone, unless
    they're too long."""
    if not IDENTIFIER.fullmatch(name[: 2 * LABEL_LENGTH]):
        return name[:LABEL_LENGTH]
    words = [word if word.isupper() else word.lower() for word in WORD_STARTS.split(name[:LABEL_LENGTH]) if word]
    return " ".join([words[0][:1].upper() + words[0][1:], *words[1:]])
