"""Uses the made-up language (`tests/support/pseudo.py`) to find strings that aren't marked for translation."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import apps
from django.db import models

from runs.models import KnownWord, RunWords, WordTrigram
from runs.models.messages import Message
from tests.support.page import Element, Page
from tests.support.pseudo import LETTERS

READ_ALOUD = ("title", "alt", "placeholder", "aria-label", "aria-description", "aria-roledescription", "summary")
SILENT = {"script", "style", "code", "svg"}
PLACEHOLDER = re.compile(r"\{[a-z]+\}")  # filled in by scripts
PLAIN_WORD = re.compile(r"[A-Za-z]{2,}")
# a reference that is stored only in the log, such as a refused file's
REFERENCE = re.compile("reference".translate(LETTERS) + r" [a-z0-9]{16}\b")
NAMES = [
    "Lamina Portal",
    "Lamina",
    "Portal",
    "Slack",
    "Microsoft Teams",
    "Teams",
    "Kim",
    "English",
    "Deutsch",
    "Pseudo",
]
# search indexes: nobody reads them, and the parts of words in them would hide unmarked words
INDEXES = {KnownWord, RunWords, WordTrigram}
TEXTS = (models.CharField, models.TextField, models.JSONField)
CODES = {"kind", "kinds", "failure", "remote_status", "search_text", "samples", "makes", "code", "problem"}
UNITS = [
    "px",
    "PNG",
    "JPEG",
    "WebP",
    "GIF",
    "MP4",
    "WebM",
    "MP3",
    "WAV",
    "CSV",
    "JSON",
    "ZIP",
    "URL",
    "ID",
    "UTC",
    "https://",
]


def unmarked(html: str, known: Iterable[str] = ()) -> list[str]:
    """Return the strings in `html` that have plain letters and are neither names nor in `known` (values that people
    entered)."""
    data = sorted({*NAMES, *UNITS, *(text for text in known if text.strip())}, key=len, reverse=True)
    known_text = re.compile("|".join(re.escape(text) for text in data))
    found = []
    for text in _texts(Page(html).root):
        rest = known_text.sub(" ", PLACEHOLDER.sub(" ", REFERENCE.sub(" ", " ".join(text.split()))))
        if PLAIN_WORD.search(rest):
            found.append(" ".join(text.split())[:160])
    return found


def _texts(element: Element) -> Iterator[str]:
    """Yield every string in `element` that is shown or read aloud."""
    if element.tag in SILENT:
        return
    if element.attributes.get("translate") == "no":
        return
    for name, value in element.attributes.items():
        is_button = (
            element.tag == "input" and element.attributes.get("type") in ("submit", "button") and name == "value"
        )
        is_for_scripts = name.startswith("data-") and " " in value  # a sentence that a script shows or announces
        if name in READ_ALOUD or is_button or is_for_scripts:
            yield value
    yield from element.own_pieces
    for child in element.children:
        yield from _texts(child)


def stored_texts() -> set[str]:
    """Return every string in the database, and every part of one that may appear on its own: names, labels,
    addresses."""
    found: set[str] = set()
    for model in set(apps.get_app_config("runs").get_models()) - INDEXES:
        names = [field.attname for field in model._meta.concrete_fields if _holds_words(field)]
        for row in model._default_manager.values_list(*names):
            for value in row:
                found |= set(_strings(value))
    return {text for text in found if len(text) > 1}


def _holds_words(field: "models.Field[Any, Any]") -> bool:
    """Return whether the field holds words from people or apps. A code such as "ready" must not hide an unmarked
    "ready"."""
    return isinstance(field, TEXTS) and not field.choices and field.name not in CODES


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, Message):
        yield value.quote
    elif isinstance(value, str):
        yield value
        yield from (line.strip() for line in value.splitlines())
        yield from value.split("@")
    elif isinstance(value, dict):
        for name, one in value.items():
            if name not in ("type", "kind", "key", "id"):
                yield from _strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)
