"""The docs are accurate: link targets and the files they mention exist, quoted messages occur in the code, and lists
are complete."""

import re
import subprocess
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
DOCS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob(".github/**/*.md")])
DECISIONS = sorted(path for path in (ROOT / "docs" / "decisions").glob("*.md") if path.name != "README.md")
ENTRY_POINTS = {"home", "results", "compare", "live", "manage", "help"}
NO_SUBJECTS = {"sandbox", "migrations", "management", "templatetags"}
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


def table_of_folders() -> list[str]:
    order = (ROOT / "docs" / "architecture.md").read_text().partition("## The order")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([\w.]+)` \|", order, re.M)


def test_the_architecture_lists_every_folder_and_no_other() -> None:
    folders = {path.parent.name for path in (ROOT / "runs").glob("*/__init__.py")} - NO_SUBJECTS
    assert folders | {"events.py"} == set(table_of_folders()) | ENTRY_POINTS
    assert len(table_of_folders()) == len(set(table_of_folders()))


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
