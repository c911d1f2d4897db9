"""Handles a form as a browser does: reads its HTML, keeps or changes values, and posts them.

A line break right after a text area's opening tag is dropped when the HTML is read, and line endings become CRLF when
values are posted; nothing else changes.
"""

from functools import partial
from html.parser import HTMLParser

from django.core.handlers.wsgi import WSGIRequest
from django.http import QueryDict
from django.template.loader import render_to_string
from django.test import RequestFactory

from runs.schema_forms.build import SchemaForm
from runs.schema_forms.questions import questions_of
from runs.schema_forms.results import results_of
from runs.schema_forms.types import Outputs, Parameters

BOUNDARY = "x-boundary-5f3a"


def build_form(parameters: Parameters, outputs: Outputs) -> partial[SchemaForm]:
    """Return what makes forms with these parameters and results."""
    return partial(SchemaForm, questions_of(parameters), results_of(outputs))


def rendered(form: SchemaForm) -> str:
    """Return the fields and results of `form` as the app's page shows them."""
    names = ("_errors", "_fields", "_results")
    html = "".join(render_to_string(f"schema_forms/{name}.html", {"form": form}) for name in names)
    return html.encode().decode()  # fails for text that can't be encoded, which would break the page


class PageReader(HTMLParser):
    """Collects controls as `fields` [(name, value)] in page order, all ids, and the visible text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.fields: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.options: list[tuple[str, str]] = []
        self._select: str | None = None
        self._chosen: str | None = None
        self._textarea: str | None = None
        self._typed = ""
        # The HTML specification says that parsers first turn CRLF and CR into LF.
        self.feed(html.replace("\r\n", "\n").replace("\r", "\n"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        if "id" in given:
            self.ids.append(given["id"])
        name = given.get("name", "")
        if tag == "textarea":
            self._textarea, self._typed = name, ""
        elif tag == "select":
            self._select, self._chosen = name, None
        elif tag == "option" and self._select is not None:
            self.options.append((self._select, given["value"]))
            if self._chosen is None or "selected" in given:
                self._chosen = given["value"]
        elif tag == "input" and name:
            self._input(name, given)

    def _input(self, name: str, given: dict[str, str]) -> None:
        kind = given.get("type", "text")
        if kind == "radio":
            self.options.append((name, given["value"]))
        if (kind in {"radio", "checkbox"} and "checked" not in given) or kind == "file":
            return
        self.fields.append((name, given.get("value", "")))

    def handle_data(self, data: str) -> None:
        if self._textarea is not None:
            self._typed += data
        self.text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._textarea is not None:
            self.fields.append((self._textarea, self._typed.removeprefix("\n")))
            self._textarea = None
        elif tag == "select" and self._select is not None:
            if self._chosen is not None:
                self.fields.append((self._select, self._chosen))
            self._select = None


def posted(fields: list[tuple[str, str]], *, multipart: bool = True) -> QueryDict:
    """Return `fields` as the server receives them from a browser: with CRLF line ends, sent as multipart or URL-encoded
    data."""
    wire = [(name, value.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")) for name, value in fields]
    request: WSGIRequest
    if multipart:
        parts = [
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in wire
        ]
        body = "".join([*parts, f"--{BOUNDARY}--\r\n"]).encode()
        request = RequestFactory().post("/", body, content_type=f"multipart/form-data; boundary={BOUNDARY}")
    else:
        query = QueryDict(mutable=True)
        for name, value in wire:
            query.appendlist(name, value)
        request = RequestFactory().post("/", query.urlencode(), content_type="application/x-www-form-urlencoded")
    return request.POST


def filled(form: SchemaForm, values: dict[str, str | list[str]] | None = None) -> list[tuple[str, str]]:
    """Return what `form`'s page would post after somebody typed or chose `values`."""
    values = values or {}
    fields = [(name, value) for name, value in PageReader(rendered(form)).fields if name not in values]
    for name, value in values.items():
        fields += [(name, one) for one in (value if isinstance(value, list) else [value])]
    return fields
