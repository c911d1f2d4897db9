"""Stencils: templates that are rendered once per language for each kind of thing, and then filled in for each thing of
that kind.

Django takes a millisecond to render a card, most of it spent looking up names and choosing between branches, and a page
has 24 cards. Cards that take the same branches differ only in their text, so we render the template once, with blanks
in place of the text, and cache the result. A kind is just flags and our own names, so nothing about any person gets
cached.
"""

import re
from collections.abc import Hashable, Mapping
from functools import lru_cache

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, override

CACHE_SIZE = 512  # how many stencils to cache; each takes up about 10 kB
OPEN, CLOSE = "\ue000", "\ue001"  # delimit the name of a blank; private-use characters that no template contains
BLANK = re.compile(f"{OPEN}(\\w+){CLOSE}")


class Blanks:
    """Takes the place of an object in a template: each of its attributes is a blank with the attribute's name."""

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix

    def __getattr__(self, name: str) -> SafeString:
        return mark_safe(f"{OPEN}{self._prefix}{name}{CLOSE}")  # noqa: S308 - a name of our own


def filled(template: str, kind: Hashable, values: Mapping[str, str]) -> SafeString:
    """Render `template` with the flags of `kind` in its context. Wherever the template uses an attribute of `card`,
    fill in the value of the same name, escaped unless it is safe."""
    stencil = _stencil(template, kind, get_language() or settings.LANGUAGE_CODE)
    escaped = {name: value if type(value) is SafeString else escape(value) for name, value in values.items()}
    return mark_safe(stencil % escaped)  # noqa: S308 - the template escapes the stencil, and the values are escaped above


@lru_cache(maxsize=CACHE_SIZE)
def _stencil(template: str, kind: Hashable, language: str) -> str:
    """Return the template with its blanks as `%(name)s`."""
    with override(language):
        html = render_to_string(template, {"kind": kind, "card": Blanks()})
    return BLANK.sub(r"%(\1)s", html.replace("%", "%%"))


def forget() -> None:
    """Clear the cache. For tests."""
    _stencil.cache_clear()
