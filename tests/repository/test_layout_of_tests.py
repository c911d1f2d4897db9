"""The layout of the tests: no module imports a test, a conftest or helpers from another subject's folder."""

import ast
import re
from pathlib import Path

import pytest

from tests.support.processes import ROOT

# Any test may use these: shared tools, the benchmarks, and `tests.smoke`, the command that acts as a new user.
FOR_ALL = ("support", "bench", "smoke")
HELD = re.compile(r"(?:^|\.)(?:test_\w+|conftest)$")
FIELD_TERMS = ("polling", "sharing", "spending", "launching", "throttling", "routing")
TESTS = "tests"  # a separate constant, since a dotted name in a string would count as an import
MODULES = sorted(path.relative_to(ROOT) for path in (ROOT / "tests").rglob("*.py"))


def needed_by(source: str) -> set[str]:
    """Return the dotted names under `tests` that `source` imports (even inside functions) or mentions in a string."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "a relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= set(re.findall(r"\btests(?:\.\w+)+", node.value))
    return {name for name in found if name.startswith("tests.")}


def problems_of(path: Path, source: str) -> list[str]:
    """Return a test module's forbidden imports (tests, conftests or another folder's helpers)."""
    own = (path.parts[1], *FOR_ALL)
    names = sorted(needed_by(source))
    held = [name for name in names if HELD.search(name)]
    foreign = [name for name in names if name.split(".")[1] not in own and len(path.parts) > 2]
    return [*(f"imports {name}" for name in held), *(f"needs {name} of another subject" for name in foreign)]


def test_nothing_imports_a_test_or_another_subjects_tools() -> None:
    found = {str(path): problems_of(path, (ROOT / path).read_text()) for path in MODULES}
    assert {path: problems for path, problems in found.items() if problems} == {}


def test_shared_tools_depend_on_no_subject() -> None:
    """`tests.support` imports nothing else from `tests`, not even the benchmarks."""
    tools = [path for path in MODULES if path.parts[1] == "support"]
    assert tools
    needed = {str(path): needed_by((ROOT / path).read_text()) for path in tools}
    assert {path for path, names in needed.items() if any(name.split(".")[1] != "support" for name in names)} == set()


@pytest.mark.parametrize(
    "source",
    [
        f"from {TESTS}.history.test_bin import bins",
        f"from {TESTS}.history import test_bin",
        f"import {TESTS}.history.conftest",
        f"def later():\n    from {TESTS}.team.steps import join",
        f'COMMAND = "{TESTS}.history.test_bin"',
    ],
)
def test_a_wrong_import_is_found(source: str) -> None:
    assert problems_of(Path("tests/engine/steps.py"), source)
    assert not problems_of(
        Path("tests/engine/steps.py"), f"from {TESTS}.engine import steps\nimport {TESTS}.support.work"
    )


def test_modules_are_named_after_things() -> None:
    doing = [path.stem for path in MODULES if path.stem.endswith("ing")]
    assert [name for name in doing if name.removeprefix("test_") not in FIELD_TERMS] == []
