"""Scripts and stylesheets: each page loads a single module that imports the others, scripts define no globals and
contain no user-facing text, and a page needs few requests."""

import json
import re
from pathlib import Path

import pytest
from django.test import Client

from runs.models import Member
from tests.support.factories import make_app, make_kept, make_run
from tests.support.form_examples import text, url
from tests.support.processes import ROOT

STATIC = ROOT / "static"
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = {path.name: path.read_text() for path in sorted(STATIC.glob("*.js"))}
LOADED = dict(re.findall(r'^\t\["(.+)", \(\) => import\("\./(\w+\.js)"\)\],$', SCRIPTS["portal.js"], re.M))
COMMENT = re.compile(r"/\*.*?\*/|(?<!:)//[^\n]*", re.S)
IMPORT = re.compile(r'^import (?:\{[^}]*\} from )?"\./(\w+\.js)";', re.M)
IMPORTS = {name: IMPORT.findall(code) for name, code in SCRIPTS.items()}
LITERAL = re.compile(r'"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|\'(?:[^\'\\\n]|\\.)*\'')
STYLESHEETS = 3  # per page, in addition to the base stylesheet
REQUESTS = 16  # per app page, including the page itself, the icon and the speculation rules


def names(pattern: str) -> list[str]:
    """Return the templates that contain `pattern`."""
    return [str(path.relative_to(ROOT)) for path in TEMPLATES if re.search(pattern, path.read_text())]


def test_base_alone_has_a_script_and_it_is_a_module() -> None:
    assert names(r"<script") == ["templates/web/base.html"]
    base = (ROOT / "templates/web/base.html").read_text()
    assert re.findall(r"<script[^>]*>", base) == ["""<script type="module" src="{% static 'portal.js' %}">"""]
    assert names(r"{% htmx_script") == ["templates/web/base.html"]
    assert names(r"\son\w+=|javascript:") == []


def test_every_script_is_loaded_or_imported() -> None:
    assert len(LOADED) == SCRIPTS["portal.js"].count('import("')
    imported = {name for names in IMPORTS.values() for name in names}
    assert {"portal.js"} | set(LOADED.values()) | imported == set(SCRIPTS)
    assert "portal.js" not in imported


@pytest.mark.parametrize("css", LOADED)
def test_the_attribute_of_a_behaviour_stands_in_a_template(css: str) -> None:
    for attribute in re.findall(r"\[([\w-]+)\]", css):
        assert names(rf"\s{attribute}[\s=>]"), attribute


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_defines_nothing_global(name: str) -> None:
    """Scripts are modules, so a name is global only if it is deliberately put on `window` or the like."""
    code = COMMENT.sub("", SCRIPTS[name])
    assert not re.findall(r"\b(?:window|globalThis|self|top|parent)\s*[.\[]", code)
    assert not re.findall(r"^\s*(?:var|function|class)\s", code, re.M)
    assert "eval(" not in code


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_text_for_people_stands_in_a_script(name: str) -> None:
    code = re.sub(r"new Error\(.*?\)", "", COMMENT.sub("", SCRIPTS[name]))
    assert [words for words in LITERAL.findall(code) if re.match(r".[A-Z][a-z]+ [a-z]|.*[a-z]…", words)] == []


def test_none_stands_in_a_stylesheet() -> None:
    sheets = "".join(path.read_text() for path in STATIC.rglob("*.css"))
    assert re.findall(r'content:\s*"[^"]*[A-Za-z]{2}[^"]*"', sheets) == []


def test_a_page_links_at_most_two_stylesheets_beyond_the_base() -> None:
    frames = {"templates/web/base.html", "templates/web/alone_base.html"}
    for path in TEMPLATES:
        links = len(set(re.findall(r'rel="stylesheet"\s+href="([^>]+)"', path.read_text())))
        base = 1 if str(path.relative_to(ROOT)) in frames or path.name == "guest_base.html" else 0
        assert links <= STYLESHEETS + base, path


def test_every_rule_of_a_page_is_in_a_layer() -> None:
    """A rule outside the layers would override more specific ones. `portal.css` declares the layers, and each import
    names the one it belongs to, unless the imported file does."""
    sheets = "".join(path.read_text() for path in STATIC.glob("*.css"))
    parts = set(re.findall(r'@import url\("([\w./-]+)"\) layer', sheets))
    for path in STATIC.glob("*.css"):
        code = re.sub(r"/\*.*?\*/|@import [^;]+;|@layer [\w, ]+;", "", path.read_text(), flags=re.S)
        if path.name not in parts | {"portal.css"}:
            assert code.lstrip().startswith("@layer components {") or not code.strip(), path.name


def test_what_only_checks_scripts_is_pinned_and_names_no_registry() -> None:
    package = json.loads((ROOT / "package.json").read_text())
    assert set(package) & {"dependencies", "optionalDependencies"} == set()
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in package["devDependencies"].values())
    lock = json.loads((ROOT / "package-lock.json").read_text())
    assert [name for name, entry in lock["packages"].items() if "resolved" in entry] == []
    assert not list(STATIC.rglob("*.ts"))


def fetched(page: str) -> list[str]:
    """Return what a browser fetches for `page`, including the page itself but not its pictures."""
    links = re.findall(r'<link\s[^>]*?rel="(?:stylesheet|modulepreload|icon)"[^>]*?>', page)
    addresses = re.findall(r'href="([^"]+)"', "".join(links)) + re.findall(r'<script[^>]*? src="([^"]+)"', page)
    started = [name for css, name in LOADED.items() if re.search(rf"\s{css.strip('[]')}[\s=>]", page)]
    files = {Path(address).name for address in addresses}
    files |= set(started) if "portal.js" in files else set()
    while more := {part for name in files for part in parts_of(name)} - files:
        files |= more
    return ["the page", "its speculation rules", *sorted(files)]


def parts_of(name: str) -> list[str]:
    """Return the files that the script or stylesheet imports."""
    if not name.endswith(".css"):
        return IMPORTS.get(name, [])
    (path,) = STATIC.rglob(name)
    return [Path(part).name for part in re.findall(r'@import url\("([^"]+)"\)', path.read_text())]


@pytest.mark.django_db
def test_the_sign_in_page_loads_no_module() -> None:
    page = Client().get("/login/").text
    assert "<script" not in page
    assert "modulepreload" not in page
    assert len(fetched(page)) <= 5


@pytest.mark.django_db
@pytest.mark.parametrize("is_used", [False, True])
def test_an_app_page_takes_at_most_sixteen_requests(as_alice: Client, alice: Member, is_used: bool) -> None:
    app = make_app(parameters=[text("Idea"), url("Photo")])
    if is_used:
        make_kept(make_run(alice, app, status="completed"))
    found = fetched(as_alice.get(app.get_absolute_url()).text)
    assert set(found) > {"portal.js", "app_form.js", "app_form.css", "pico.css"}
    assert len(found) <= REQUESTS
