"""Messages stored as a code with values, so that everyone can read them in their own language.

`words.messages` has the text for each code. Messages from other systems are quotes.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import models

type Value = str | int | float


@dataclass(frozen=True)
class Message:
    """A message to show later: a `code` with `values`, or a `quote` to show unchanged. If it has neither, it is
    empty."""

    code: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)
    quote: str = ""

    def __bool__(self) -> bool:
        return bool(self.code or self.quote)

    def to_stored(self) -> str:
        """Return the text to store: JSON for a code, plain text for a quote, or "" if empty."""
        if self.code:
            return json.dumps({"code": self.code, **self.values}, ensure_ascii=False)
        # A plain quote that looks like our JSON would be mistaken for a code.
        return json.dumps({"quote": self.quote}, ensure_ascii=False) if self.quote.startswith("{") else self.quote

    @classmethod
    def from_stored(cls, text: str) -> "Message":
        """Return the message stored as `text` by `to_stored`. Any other text becomes a quote."""
        if not text.startswith("{"):
            return cls(quote=text)
        try:
            values = json.loads(text)
        except ValueError:
            return cls(quote=text)
        if "quote" in values:
            return cls(quote=str(values["quote"]))
        code = str(values.pop("code", ""))
        return cls(code, values) if code else cls(quote=text)


def as_message(value: Message | str | None) -> Message:
    """Return `value` as a message; plain text becomes a quote."""
    return value if isinstance(value, Message) else Message(quote=value or "")


if TYPE_CHECKING:
    _CharField = models.CharField["Message | str", Message]
    _TextField = models.TextField["Message | str", Message]
else:
    _CharField, _TextField = models.CharField, models.TextField


class _MessageColumn:
    """A field that reads and writes a `Message` in a text column. To migrations, it looks like a plain text field."""

    max_length: int | None
    blank: bool

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **({"default": Message} | options))

    def from_db_value(self, value: str | None, *_: Any) -> Message | None:
        return None if value is None else Message.from_stored(value)

    def to_python(self, value: Any) -> Any:
        return as_message(value)

    def get_prep_value(self, value: Any) -> Any:
        return value if value is None or hasattr(value, "resolve_expression") else fitted(value, self.max_length)

    def deconstruct(self) -> Any:
        name, _, args, options = super().deconstruct()  # type: ignore[misc]  # from the field class
        options.pop("default")
        kind = "CharField" if self.max_length else "TextField"
        return name, f"django.db.models.{kind}", args, options | ({"default": ""} if self.blank else {})


def fitted(value: Message | str, length: int | None) -> str:
    """Return `value` as stored text of at most `length` characters. If it is too long, its quote or its longest values
    are shortened."""
    message = as_message(value)
    stored = message.to_stored()
    while length is not None and len(stored) > length:
        texts = {name: text for name, text in message.values.items() if isinstance(text, str)}
        if message.code and texts:
            name = max(texts, key=lambda one: len(texts[one]))
            message = Message(message.code, {**message.values, name: _halved(texts[name])})
        else:
            message = Message(quote=(message.quote or message.code)[: length - 20])  # leaves room for the JSON syntax
        stored = message.to_stored()
    return stored


def _halved(text: str) -> str:
    """Return about half of `text`. If it is itself a stored message, it stays one."""
    half = len(text) // 2
    inner = Message.from_stored(text)
    return fitted(inner, half) if inner.code else text[:half]


class MessageCharField(_MessageColumn, _CharField):
    """A `Message` in a column of limited length."""


class MessageTextField(_MessageColumn, _TextField):
    """A `Message` in a column of any length."""
