"""Each page loads the styles for all the classes it uses: stylesheets are split by page, and no page links more than
two of them."""

import re
from functools import cache
from itertools import chain
from pathlib import PurePosixPath

import pytest

from tests.support.processes import ROOT

STATIC, TEMPLATES = ROOT / "static", ROOT / "templates"
SHEETS = {str(path.relative_to(STATIC)): path.read_text() for path in sorted(STATIC.rglob("*.css"))}
TEXTS = {str(path.relative_to(TEMPLATES)): path.read_text() for path in sorted(TEMPLATES.rglob("*.html"))}
PAGES = [name for name, text in TEXTS.items() if "{% extends" in text]
REMARK = re.compile(r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}", re.S)
INCLUDED = re.compile(r'\{% (?:include|extends|kept) "([\w/.-]+)"')
FIELDS = [name for name in TEXTS if re.fullmatch(r"schema_forms/_\w+\.html", name)]
TAG = re.compile(r"^@register\.simple_tag.*?^def (\w+)(.*?)(?=^@|^def |\Z)", re.M | re.S)
TAGS = [found for path in (ROOT / "runs" / "templatetags").glob("*.py") for found in TAG.findall(path.read_text())]
RENDERED = {  # the templates that each template tag renders, keyed by how templates write the tag
    "{% include field.template_name %}": FIELDS,
    **{f"{{% {tag} ": re.findall(r'"([\w/]+\.html)"', body) for tag, body in TAGS if '.html"' in body},
}
LINKED = re.compile(r"""\{% static ["']([\w./-]+\.css)["'] %\}|href="/static/([\w./-]+\.css)\"""")
CLASSES = re.compile(r'\bclass="((?:\{%.*?%\}|\{\{.*?\}\}|[^"])*)"', re.S)
SELECTOR = re.compile(r"([^{};]*)\{")


@cache
def styled_by(sheet: str) -> frozenset[str]:
    """Return the classes that `sheet` or one of its parts has rules for."""
    text = re.sub(r'/\*.*?\*/|"[^"]*"', "", re.sub(r"@import[^;]*;", "", SHEETS[sheet]), flags=re.S)
    found = {name for selector in SELECTOR.findall(text) for name in re.findall(r"\.([a-zA-Z][\w-]*)", selector)}
    parts = [str(PurePosixPath(sheet).parent / part) for part in re.findall(r'@import url\("(.+?)"\)', SHEETS[sheet])]
    return frozenset(found.union(*map(styled_by, parts)))


def made_of(page: str, known: set[str] | None = None) -> set[str]:
    """Return the templates that make up `page`, including those that are only included conditionally."""
    found = set() if known is None else known
    if page not in found:
        found.add(page)
        text = REMARK.sub("", TEXTS[page])
        for name in [*INCLUDED.findall(text), *chain(*(RENDERED[tag] for tag in RENDERED if tag in text))]:
            made_of(name, found)
    return found


def used_in(template: str) -> set[str]:
    """Return the classes written in `template`, except modifiers, which do nothing without another class."""
    used: set[str] = set()
    for value in CLASSES.findall(REMARK.sub("", TEXTS[template])):
        words = re.sub(r"\{\{.*?\}\}", "{", re.sub(r"\{%.*?%\}", " ", value, flags=re.S), flags=re.S).split()
        used |= {word for word in words if re.fullmatch(r"(?!is-|has-)[\w-]+", word)}
    return used


STYLED = frozenset[str]().union(*map(styled_by, SHEETS))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_loads_the_style_of_every_class_it_uses(page: str) -> None:
    templates = made_of(page)
    sheets = {name for template in templates for pair in LINKED.findall(TEXTS[template]) for name in pair if name}
    assert "portal.css" in sheets
    loaded = frozenset[str]().union(*map(styled_by, sheets))
    missing = {template: sorted(used_in(template) & STYLED - loaded) for template in templates}
    assert {template: names for template, names in missing.items() if names} == {}


def test_every_stylesheet_is_linked_or_part_of_another() -> None:
    linked = {name for text in TEXTS.values() for pair in LINKED.findall(text) for name in pair if name}
    parts = {
        str(PurePosixPath(sheet).parent / part)
        for sheet, text in SHEETS.items()
        for part in re.findall(r'@import url\("(.+?)"\)', text)
    }
    assert linked | parts == set(SHEETS)


@pytest.mark.parametrize("tag", RENDERED)
def test_the_tags_that_render_a_template_are_known(tag: str) -> None:
    assert RENDERED[tag]
    assert any(tag in text for text in TEXTS.values())
