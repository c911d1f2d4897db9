"""Libraries are used through what they publish. docs/decisions/engines.md lists the exceptions."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.processes import ROOT

OURS = ("runs", "lamina_portal", "tests")
# Documented, in spite of the underscore
PUBLISHED = {
    "_meta", "_default_manager", "_base_manager", "_asdict", "_replace", "_exit", "_open", "_save",
    "sys.argv", "Image.MAX_IMAGE_PIXELS",
}  # fmt: skip


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in PUBLISHED


def exceptions(tree: ast.Module) -> Iterator[str]:
    """Yield each private name that `tree` imports, reads or overrides, and each attribute of a library's that it
    sets."""
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    own |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and is_of_self(node)}
    libraries = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            for alias in node.names:
                if not (module or alias.name).startswith(OURS):
                    libraries.add((alias.asname or alias.name).split(".")[0])
                    yield from filter(is_private, [*module.split("."), *alias.name.split(".")])
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr) and not is_of_self(node):
            if node.attr not in own or "super()" in ast.unparse(node):
                yield node.attr
        elif isinstance(node, ast.Assign):
            for target in map(ast.unparse, node.targets):
                if "." in target and target.split(".")[0] in libraries and target not in PUBLISHED:
                    yield target


def is_of_self(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}


def test_every_exception_is_listed_with_its_reason() -> None:
    page = (ROOT / "docs" / "decisions" / "engines.md").read_text()
    listed = set(re.findall(r"^\| `([^`]+)` \| `([^`]+)` \| .+ \|$", page, re.MULTILINE))
    sources = [*(ROOT / "runs").rglob("*.py"), *(ROOT / "lamina_portal").rglob("*.py"), ROOT / "gunicorn.conf.py"]
    found = {
        (str(path.relative_to(ROOT)), name)
        for path in sources
        if "migrations" not in path.parts
        for name in exceptions(ast.parse(Path(path).read_text()))
    }
    assert found == listed
    assert len(listed) < 5


def test_replaced_and_private_parts_are_found() -> None:
    code = """
from django.core.management.base import BaseCommand
from django.utils.functional import _StrOrPromise
BaseCommand.execute = print
def loaded(user): return user._wrapped
"""
    assert set(exceptions(ast.parse(code))) == {"_StrOrPromise", "BaseCommand.execute", "_wrapped"}
