"""Scripts and stylesheets: each page loads a single module that imports the others, scripts define no globals and
contain no user-facing text, and a page needs few requests."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage
from django.templatetags.static import static
from django.test import Client

from lamina_portal.joined_files import JoinedModules
from runs.models import Member
from tests.support.factories import make_app, make_kept, make_run
from tests.support.form_examples import text, url
from tests.support.processes import ROOT

STATIC = ROOT / "static"
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = {path.name: path.read_text() for path in sorted(STATIC.glob("*.js"))}
LOADED = dict(re.findall(r'^\t\["(.+)", \(\) => import\("\./(\w+\.js)"\)\],$', SCRIPTS["portal.js"], re.M))
COMMENT = re.compile(r"/\*.*?\*/|(?<!:)//[^\n]*", re.S)
MODULES = JoinedModules({name: (FileSystemStorage(STATIC), name) for name in SCRIPTS})
DECLARED = re.compile(r"^(?:export )?(?:const|let|(?:async )?function|class) (\w+)", re.M)
EXPORTED = re.compile(r"^export (?:const|let|(?:async )?function|class) (\w+)", re.M)
IMPORTED = re.compile(r"^import \{([^}]*)\}", re.M)
LITERAL = re.compile(r'"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|\'(?:[^\'\\\n]|\\.)*\'')
STYLESHEETS = 2  # per page, in addition to the base stylesheet
REQUESTS = 8  # per app page, including the page itself, the icon and the speculation rules


def names(pattern: str) -> list[str]:
    """Return the templates that contain `pattern`."""
    return [str(path.relative_to(ROOT)) for path in TEMPLATES if re.search(pattern, path.read_text())]


def test_base_alone_has_a_script_and_it_is_a_module() -> None:
    assert names(r"<script") == ["templates/web/base.html"]
    base = (ROOT / "templates/web/base.html").read_text()
    assert re.findall(r"<script[^>]*>", base) == ["""<script type="module" src="{% static 'portal.js' %}">"""]
    assert names(r"{% htmx_script") == ["templates/web/base.html"]
    assert names(r"\son\w+=|javascript:") == []


def test_every_script_is_loaded_or_part_of_another() -> None:
    assert len(LOADED) == SCRIPTS["portal.js"].count('import("')
    assert {"portal.js"} | set(LOADED.values()) == MODULES.files
    assert set(LOADED.values()) & set(MODULES.imports["portal.js"]) == set()
    assert not [name for name, imported in MODULES.imports.items() if "portal.js" in imported]


@pytest.mark.parametrize("name", sorted(MODULES.files))
def test_the_parts_of_a_script_share_no_name(name: str) -> None:
    """The parts are joined into one file, where declaring `const told` twice would be an error."""
    parts = [SCRIPTS[part] for part, home in MODULES.homes.items() if home == name]
    used = Counter(found for part in parts for found in DECLARED.findall(part))
    used.update({found for part in parts for line in IMPORTED.findall(part) for found in re.findall(r"\w+", line)})
    used.subtract({found for part in parts for found in EXPORTED.findall(part)})
    assert [found for found, count in used.items() if count > 1] == []


@pytest.mark.parametrize("name", SCRIPTS)
def test_nothing_in_a_string_looks_like_a_comment(name: str) -> None:
    """`collectstatic` removes comments, which it recognises line by line."""
    code = "".join(
        line for line in SCRIPTS[name].splitlines(keepends=True) if not line.strip().startswith(("/*", "//"))
    )
    assert [line for line in code.splitlines() if line.count("`") % 2] == []
    assert [words for words in LITERAL.findall(code) if re.search(r"\s// |/\*\* @", words)] == []


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
    names the one it belongs to."""
    parts = set(re.findall(r'@import url\("([\w./-]+)"\)', "".join(path.read_text() for path in STATIC.glob("*.css"))))
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
    addresses += [static(name) for name in started if "portal.js" in "".join(addresses)]
    return ["the page", "its speculation rules", *sorted(set(addresses))]


@pytest.mark.django_db
def test_the_sign_in_page_loads_no_module() -> None:
    page = Client().get("/login/").text
    assert "<script" not in page
    assert "modulepreload" not in page
    assert len(fetched(page)) <= 4


@pytest.mark.django_db
@pytest.mark.parametrize("is_used", [False, True])
def test_an_app_page_takes_eight_requests(as_alice: Client, alice: Member, is_used: bool) -> None:
    app = make_app(parameters=[text("Idea"), url("Photo")])
    if is_used:
        make_kept(make_run(alice, app, status="completed"))
    found = fetched(as_alice.get(app.get_absolute_url()).text)
    assert {Path(address).name for address in found} > {"portal.js", "app_form.js", "launching.css"}
    assert len(found) <= REQUESTS
