"""What migrations may import."""

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

MIGRATIONS = Path(import_module("runs.migrations").__path__[0])
IDS = "runs.models.ids"  # its functions are column defaults, so they are never renamed or moved
MODULE_IN_TEXT = re.compile(r"runs(\.\w+){2,}")  # "runs.models.run", but not "runs.Run", which names a historical model


def used_of_the_portal(source: str) -> set[str]:
    """Return the dotted names of the portal's modules that `source` imports (even inside functions) or mentions in a
    string. The names of relative imports keep their leading dots."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or ""))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= {name[0] for name in [MODULE_IN_TEXT.fullmatch(node.value)] if name}
    return {name for name in found if name.split(".")[0] in ("", "runs", "lamina_portal", "tests")}


@pytest.mark.parametrize("path", sorted(MIGRATIONS.glob("0*.py")), ids=lambda path: path.stem)
def test_a_migration_uses_nothing_that_may_move_or_change(path: Path) -> None:
    assert used_of_the_portal(path.read_text()) <= {IDS}


@pytest.mark.parametrize(
    "source",
    [
        "from runs.words.folding import fold",
        "import runs.models.run",
        "def fill(apps, schema_editor):\n    from runs import models",
        "from ..models import Run",
        "import_module('runs.words.folding')",
    ],
)
def test_a_migration_that_uses_more_is_found(source: str) -> None:
    assert used_of_the_portal(source) - {IDS}
    assert used_of_the_portal(f"import {IDS}\nfrom {IDS} import new_public_id\nForeignKey('runs.Member')") == {IDS}
