"""Only forms read posted fields: no view reads them from `request.POST` directly."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLUMBING = "runs/web/"  # middleware and `posted` itself


def by_hand(source: str) -> Iterator[int]:
    """Return the numbers of the lines in `source` that use `request.POST` for anything other than a form or a full
    copy."""
    tree = ast.parse(source)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "POST":
            parent = parents[node]
            if isinstance(parent, ast.IfExp):
                node, parent = parent, parents[parent]
            is_given = isinstance(parent, ast.Call) and node in parent.args and is_form(ast.unparse(parent.func))
            if not is_given and not (isinstance(parent, ast.Attribute) and parent.attr in ("lists", "copy")):
                yield node.lineno


def is_form(called: str) -> bool:
    return called.removesuffix(".read").endswith("Form")


def test_no_view_reads_what_was_posted_by_hand() -> None:
    found = {}
    for path in sorted((ROOT / "runs").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(PLUMBING) and (lines := list(by_hand(path.read_text()))):
            found[name] = lines
    assert found == {}


@pytest.mark.parametrize(
    ("line", "is_wrong"),
    [
        ('x = request.POST.get("name", "")', True),
        ('x = request.POST["name"]', True),
        ('x = request.POST.getlist("r")', True),
        ('x = "all" in request.POST', True),
        ("posted = request.POST", True),
        ("x = read(request.POST)", True),
        ("form = NameForm(request.POST)", False),
        ("x = NameForm.read(request.POST if is_sent else request.GET)", False),
        ("pairs = request.POST.lists()", False),
        ("answers = request.POST.copy()", False),
    ],
)
def test_reading_by_hand_is_found(line: str, *, is_wrong: bool) -> None:
    assert bool(list(by_hand(line))) == is_wrong
