"""Describes a result to be made, in the words that people see, independently of the API."""

import hashlib
import random
import unicodedata
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from runs.sandbox.lifecycle import VARIANTS, Run


@dataclass(frozen=True)
class Job:
    """One result to make. `part` is the number of the picture within one output; `variant` differs between runs with
    the same inputs.

    `shown` lists the inputs as (name, type, value). Text values are strings; picture values are tuples of strings, each
    `asset:ID` or `sample:NAME`.
    """

    app_id: str
    app_name: str
    label: str
    position: int = 0
    part: int = 0
    variant: int = 0
    shown: tuple[tuple[str, Any, Any], ...] = ()

    @property
    def key(self) -> str:
        """A key shared by all results that look the same."""
        return repr(self)

    @property
    def seed(self) -> int:
        return int.from_bytes(hashlib.sha256(self.key.encode("utf-8", "surrogatepass")).digest()[:8], "big")

    def random(self) -> random.Random:
        return random.Random(self.seed)  # noqa: S311 - art, not secrets

    @property
    def pictures(self) -> list[str]:
        return [token for _, kind, value in self.shown if kind == "url" for token in value]

    @property
    def prompt(self) -> str:
        """The first text input that isn't empty."""
        return next((str(value) for _, kind, value in self.shown if kind not in {"url", "options"} and value), "")

    @property
    def chips(self) -> list[tuple[str, str]]:
        """Chosen options as (name, label)."""
        return [(name, str(value)) for name, kind, value in self.shown if kind == "options" and value]

    def option(self, *words: str) -> str:
        """Return the value chosen for the first option whose name contains one of these words."""
        values = (value for name, value in self.chips if any(word in name.casefold() for word in words))
        return next(values, "")


def job_of(run: Run, position: int, part: int = 0, revision: int = 0) -> Job:
    inputs = tuple((tidy(str(one["name"])), one["type"], _shown_value(one["type"], one["value"])) for one in run.shown)
    label = tidy(run.outputs[position]["label"])
    return Job(run.app_id, tidy(run.app_name), label, position, part, run.variant + VARIANTS * revision, inputs)


def _shown_value(kind: Any, value: Any) -> Any:
    if kind == "url":
        addresses = value if isinstance(value, list) else [value]
        return tuple(token for address in addresses if (token := _own_picture(address)))
    if isinstance(value, list):
        return ", ".join(tidy(str(item)) for item in value)
    return "" if value is None else tidy(str(value))


def _own_picture(address: Any) -> str | None:
    """Return the token of the upload or sample that the URL's path points to; None for any other URL. URLs are never
    fetched."""
    try:
        parts = urlsplit(address).path.split("/") if isinstance(address, str) else []
    except ValueError:
        return None
    if len(parts) > 2 and parts[1] in {"assets", "samples"}:
        return f"{parts[1].removesuffix('s')}:{unquote(parts[2])}"
    return None


def tidy(text: str) -> str:
    """Remove control characters and lone surrogates, which no font can draw; keep line breaks."""
    text = text.replace("\r\n", "\n").replace("\t", " ")
    return "".join(c for c in text if c == "\n" or unicodedata.category(c) not in {"Cc", "Cs"})
