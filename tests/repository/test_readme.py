"""The README and `.env.example` list exactly the settings that the code reads. The README also lists every command."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
READ = re.compile(r"""\benv\.\w+\(\s*"([A-Z][A-Z0-9_]+)\"""")
TEST_READ = re.compile(r"""os\.environ(?:\.get\(|\[)"(TEST_[A-Z0-9_]+)\"""")


def settings_in_code() -> set[str]:
    sources = [(ROOT / "lamina_portal" / name).read_text() for name in ("settings.py", "environment.py")]
    tests = [path.read_text() for path in (ROOT / "tests").rglob("*.py")]
    return {name for text in sources for name in READ.findall(text)} | {
        name for text in tests for name in TEST_READ.findall(text)
    }


def test_the_readme_lists_every_setting_and_no_other() -> None:
    readme = (ROOT / "README.md").read_text()
    section = readme.partition("## Settings")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([A-Z][A-Z0-9_]+)` \|", section, re.M) + re.findall(r"`(TEST_[A-Z0-9_]+)`", section)
    assert len(rows) == len(set(rows))
    assert set(rows) == settings_in_code()


def test_the_example_file_lists_every_setting_and_no_other() -> None:
    names = re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.M)
    assert len(names) == len(set(names))
    assert set(names) == settings_in_code()


def test_the_readme_lists_every_make_command() -> None:
    targets = re.search(r"^\.PHONY: help (.+)$", (ROOT / "Makefile").read_text(), re.M)
    assert targets is not None
    assert make_commands((ROOT / "README.md").read_text()) == set(targets[1].split())


def test_named_commands_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for name in ("README.md", "CONTRIBUTING.md", "docs/operating.md", "docs/architecture.md"):
        text = (ROOT / name).read_text()
        for target in make_commands(text):
            assert re.search(rf"^{target}:", makefile, re.M), target
        for command in re.findall(r"manage\.py (\w+)", text):
            own = (ROOT / "runs/management/commands" / f"{command}.py").exists()
            assert own or command in {"migrate", "collectstatic", "createsuperuser"}, command


def make_commands(text: str) -> set[str]:
    """Return the targets of the `make` commands in a document."""
    return set(re.findall(r"(?:^ *|`|lma_… )make ([a-z-]+)", text, re.M))


def test_the_changelog_starts_with_the_current_version() -> None:
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.M)
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert version is not None
    assert newest is not None
    assert newest[1] == version[1]
