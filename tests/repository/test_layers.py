"""The arrows between packages point one way, and no file grows beyond what one can read at a sitting."""

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYERS = ["lamina", "models", "schema_forms", "queue", "services", "tasks", "forms", "http", "views"]
MAX_LINES = 320  # about 300; one stylesheet of tokens and components is longer by design
OURS = ("lamina_portal", "runs", "tests", "templates", "static")


def modules_of(path: Path, source: str) -> set[str]:
    """Dotted names of every module that SOURCE imports anywhere, relative ones and `from runs import x` resolved."""
    package = ".".join(path.with_suffix("").parts[:-1])
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*parts, *filter(None, [node.module])])
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return found


def layer_of(path: Path) -> str:
    """The layer a file under runs/ belongs to: its folder or its own name."""
    return path.with_suffix("").parts[1]


def too_high(path: Path, source: str) -> list[str]:
    """What a file under runs/ imports although it stands in a later layer."""
    layer = layer_of(path)
    allowed = LAYERS[: LAYERS.index(layer) + 1] if layer in LAYERS else LAYERS
    parts = [name.split(".") for name in modules_of(path, source)]
    return sorted({p[1] for p in parts if p[0] == "runs" and len(p) > 1 and p[1] in LAYERS and p[1] not in allowed})


def python_files(folder: str) -> list[Path]:
    return sorted(path.relative_to(ROOT) for path in (ROOT / folder).rglob("*.py") if "migrations" not in path.parts)


@pytest.mark.parametrize("path", python_files("runs"), ids=str)
def test_imports_go_towards_lower_layers(path: Path) -> None:
    assert too_high(path, (ROOT / path).read_text()) == []


@pytest.mark.parametrize(
    "source", ["from runs.services import launch", "import runs.engine.create_run", "from runs import services"]
)
def test_a_wrong_arrow_is_found(source: str) -> None:
    assert too_high(Path("runs/models/run.py"), source) == ["services"]
    assert too_high(Path("runs/models/run.py"), f"def f():\n    {source}") == ["services"]
    assert too_high(Path("runs/live/views_run.py"), source) == []


@pytest.mark.parametrize("path", python_files("runs/lamina"), ids=str)
def test_the_client_knows_no_django(path: Path) -> None:
    roots = {name.split(".")[0] for name in modules_of(path, (ROOT / path).read_text())}
    assert not roots & {"django", "django_q", "django_htmx"}


@pytest.mark.parametrize("path", python_files("runs/sandbox"), ids=str)
def test_the_sandbox_shares_nothing_with_the_client(path: Path) -> None:
    names = modules_of(path, (ROOT / path).read_text())
    assert not [name for name in names if name.split(".")[0] in ("django", "lamina_portal")]
    assert not [name for name in names if name.startswith("runs.") and not name.startswith("runs.sandbox")]


@pytest.mark.parametrize("path", python_files("lamina_portal"), ids=str)
def test_the_wiring_names_runs_by_dotted_string_only(path: Path) -> None:
    assert not [name for name in modules_of(path, (ROOT / path).read_text()) if name.split(".")[0] == "runs"]


def test_no_file_is_longer_than_one_can_read() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *OURS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    ours = [
        name
        for name in listed
        if name.endswith((".py", ".html", ".js")) and "/migrations/" not in name and "/vendor/" not in name
    ]
    assert ours
    lengths = {name: len((ROOT / name).read_text().splitlines()) for name in ours if (ROOT / name).exists()}
    assert {name: count for name, count in lengths.items() if count > MAX_LINES} == {}
