"""The docs are accurate: links, files and names that they mention exist, quoted messages occur in the code, and lists
are complete."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
DOCS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob(".github/**/*.md")])
DECISIONS = sorted(path for path in (ROOT / "docs" / "decisions").glob("*.md") if path.name != "README.md")
ENTRY_POINTS = {"home", "results", "compare", "live", "manage", "help"}
NO_SUBJECTS = {"sandbox", "migrations", "management", "templatetags"}
FILES = {"py", "html", "css", "js", "csv", "conf"}
OURS = ("lamina_portal", "runs", "templates", "static", "docs")


def prose_of(text: str) -> str:
    """Return `text` without its code blocks."""
    return re.sub(r"^ *```.*?^ *```", "", text, flags=re.S | re.M)


def anchors_of(path: Path) -> set[str]:
    """Return the anchors that GitHub generates for a file's headings."""
    headings = re.findall(r"^#+ (.+)$", prose_of(path.read_text()), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_has_a_target(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose_of(path.read_text())):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        linked = (path.parent / name).resolve() if name else path
        assert linked.is_file(), target
        assert not anchor or anchor in anchors_of(linked), target


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_named_file_exists(path: Path) -> None:
    named = re.findall(r"(?<![\w/.:-])((?:[\w.-]+/)+(?:[\w-]+\.(?:py|css|js|md|html|toml)))\b", path.read_text())
    for name in named:
        assert any((place / name).exists() for place in (ROOT, ROOT / "runs", path.parent)), name


def defined_in(body: list[ast.stmt]) -> Iterator[str]:
    """Yield the names that a module or a class defines."""
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                yield from (name.id for name in ast.walk(target) if isinstance(name, ast.Name))


@cache
def names_in() -> dict[str, set[str]]:
    """Return what our packages, modules and classes contain, by their short names. If several have the same name, what
    they contain is merged."""
    found: dict[str, set[str]] = {}
    for path in [*(ROOT / "runs").rglob("*.py"), *(ROOT / "lamina_portal").rglob("*.py")]:
        parts = [part for part in path.relative_to(ROOT).with_suffix("").parts if part != "__init__"]
        for package, name in pairwise(parts):
            found.setdefault(package, set()).add(name)
        tree = ast.parse(path.read_text())
        found.setdefault(parts[-1], set()).update(defined_in(tree.body))
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, set()).update(defined_in(node.body))
    return found


def unknown_names(text: str) -> list[str]:
    """Return the names in `text`, such as `module.function`, that start with something of ours but don't exist."""
    dotted = re.findall(r"`([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+)(?:\([^`]*\))?`", prose_of(text))
    pairs = {name: list(pairwise(name.split("."))) for name in dotted if name.rpartition(".")[2] not in FILES}
    known = names_in()
    return [name for name in pairs if any(a in known and b not in known[a] for a, b in pairs[name])]


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_dotted_name_exists(path: Path) -> None:
    code = "".join(file.read_text() for file in (ROOT / "runs").rglob("*.py"))
    # a logger's name needn't be a module's
    assert [name for name in unknown_names(path.read_text()) if f'getLogger("{name}")' not in code] == []


def test_a_wrong_name_is_found() -> None:
    text = "`verdicts.decide`, `Run.status`, `events.py`, `gc.freeze`, `verdicts.decides(x)` and `Run.state`"
    assert unknown_names(text) == ["verdicts.decides", "Run.state"]


def table_of_folders() -> list[str]:
    order = (ROOT / "docs" / "architecture.md").read_text().partition("## The order")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([\w.]+)` \|", order, re.M)


def test_the_architecture_lists_every_folder_and_no_other() -> None:
    folders = {path.parent.name for path in (ROOT / "runs").glob("*/__init__.py")} - NO_SUBJECTS
    assert folders | {"events.py"} == set(table_of_folders()) | ENTRY_POINTS
    assert len(table_of_folders()) == len(set(table_of_folders()))


@pytest.mark.parametrize("folder", [name for name in table_of_folders() if name != "events.py"])
def test_every_folder_says_what_it_is_for(folder: str) -> None:
    said = ast.get_docstring(ast.parse((ROOT / "runs" / folder / "__init__.py").read_text())) or ""
    assert said
    for name in re.findall(r"`(\w+\.py)`", said):
        assert any((ROOT / "runs" / place / name).exists() for place in (folder, "")), name
    assert unknown_names(said) == []


def test_the_picture_shows_the_same_folders_in_the_same_order() -> None:
    picture = ElementTree.parse(ROOT / "docs" / "architecture.svg")  # noqa: S314 - our own file
    texts = [text for text in picture.iterfind(".//{*}text") if text.get("class") == "n"]
    names = [text.text or "" for text in texts]
    places = {text.text: (float(text.get("y", 0)), float(text.get("x", 0))) for text in texts}
    outside = {"Browser", "Worker (django-q2)", "Lamina", "Files", "Database"}
    assert set(names) == {*table_of_folders(), *ENTRY_POINTS, "tasks.py", *outside}
    assert len(names) == len(set(names))
    drawn = sorted(table_of_folders(), key=lambda name: places[name], reverse=True)
    assert drawn == table_of_folders()


def test_the_index_lists_every_decision_and_no_other() -> None:
    listed = re.findall(r"^\| \[(.+?)\]\((.+?)\) \| .+ \|$", (ROOT / "docs/decisions/README.md").read_text(), re.M)
    assert sorted(name for _, name in listed) == [path.name for path in DECISIONS]
    for title, name in listed:
        assert (ROOT / "docs" / "decisions" / name).read_text().startswith(f"# {title}\n"), name


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.name)
def test_a_decision_has_its_four_parts_on_one_page(path: Path) -> None:
    headings = re.findall(r"^## (.+)$", path.read_text(), re.M)
    assert [heading for heading in headings if heading != "Measured"] == [
        "Context",
        "Decision",
        "Rejected",
        "Consequences",
    ]
    assert len(path.read_text().splitlines()) <= 90


def in_one_line(text: str) -> str:
    """Join sentences that have been split across several lines or string literals."""
    return " ".join(re.sub(r'"\s*\n\s*f?"', "", text).split())


def test_every_quoted_symptom_is_a_message_of_the_portal() -> None:
    said = "".join(
        in_one_line(path.read_text(errors="replace"))
        for folder in ("runs", "lamina_portal", "templates")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".html"}
    )
    rows = (ROOT / "docs" / "operating.md").read_text().partition("## Troubleshooting")[2]
    quoted = re.findall(r'"([^"]+)"', rows)
    assert len(quoted) > 15
    for quote in quoted:
        for part in quote.split("…"):
            assert part.strip() in said, quote


def test_the_readme_stays_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 130


def test_the_version_is_written_in_one_place() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    listed = subprocess.run(["git", "ls-files", *OURS, "*.md"], cwd=ROOT, capture_output=True, text=True, check=True)
    names = [name for name in listed.stdout.splitlines() if not name.startswith("static/vendor/")]
    texts = {name: (ROOT / name).read_text(errors="replace") for name in names if (ROOT / name).exists()}
    pattern = re.compile(rf"(?<![\w.]){re.escape(version)}(?![\w.])")
    # test_readme.py checks that this version is the newest heading in the changelog.
    assert [name for name, text in texts.items() if pattern.search(text)] == ["CHANGELOG.md"]
