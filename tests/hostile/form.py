"""Fills in and sends forms as a browser without scripts does: as multipart, with CRLF line breaks, in page order."""

import re
import secrets
from dataclasses import dataclass, field

from tests.support.page import Element, Page

LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass
class File:
    """A file that somebody has chosen."""

    name: str
    content: bytes
    media_type: str = "application/octet-stream"


@dataclass
class Form:
    """The fields of one form with their values; `set` and `attach` fill it in as a person would."""

    action: str
    pairs: list[tuple[str, str]]
    files: list[tuple[str, File]] = field(default_factory=list)

    @classmethod
    def on(cls, html: str, id: str = "app-form") -> "Form":
        """Read the form with the given `id` from a page's HTML."""
        form = Page(html).first("form", id=id)
        pairs = [pair for control in form.walk() for pair in _values_of(control)]
        pairs = [pair for pair in pairs if pair[0] != "plain"]  # so that the response is the page, not a redirect
        return cls(form.attributes.get("action", ""), pairs)

    def get(self, name: str) -> str:
        """Return the value of the field `name`, or "" if nothing is chosen."""
        return next((value for key, value in self.pairs if key == name), "")

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name]

    def set(self, name: str, *values: str) -> "Form":
        """Replace the values of the field `name`."""
        self.pairs = [pair for pair in self.pairs if pair[0] != name] + [(name, value) for value in values]
        return self

    def attach(self, name: str, file: File) -> "Form":
        self.files.append((f"{name}_file", file))
        return self

    def encoded(self) -> tuple[bytes, str]:
        """Return the body and content type of the POST."""
        boundary = secrets.token_hex(16)
        parts = []
        for name, value in self.pairs:
            text = LINE_END.sub("\r\n", value).encode("utf-8", "surrogatepass")
            parts.append(_part(boundary, f'name="{name}"', text))
        for name, file in self.files:
            told = f'name="{name}"; filename="{file.name}"\r\nContent-Type: {file.media_type}'
            parts.append(_part(boundary, told, file.content))
        return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _part(boundary: str, told: str, content: bytes) -> bytes:
    return f"--{boundary}\r\nContent-Disposition: form-data; {told}\r\n\r\n".encode() + content + b"\r\n"


def _values_of(control: Element) -> list[tuple[str, str]]:
    name, kind = control.attributes.get("name", ""), control.attributes.get("type", "text")
    if not name or "disabled" in control.attributes:
        return []
    if control.tag == "textarea":
        return [(name, re.sub(r"^\r?\n", "", control.text))]
    if control.tag == "select":
        options = [e for e in control.walk() if e.tag == "option"]
        chosen = [o for o in options if "selected" in o.attributes] or options[:1]
        return [(name, option.attributes.get("value", option.text)) for option in chosen]
    if control.tag != "input" or kind in {"file", "submit", "button"}:
        return []
    if kind in {"checkbox", "radio"} and "checked" not in control.attributes:
        return []
    return [(name, control.attributes.get("value", ""))]
