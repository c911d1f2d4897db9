"""The order of the folders in `runs/`: each folder imports only from those above it in the list, except for entry
points, which may import from any folder."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(__file__).parents[2]
FOLDERS = [
    *(
        "lamina",
        "schema_forms",
        "models",
        "words",
        "events",
        "audit",
        "background",
        "connection",
        "storage",
        "web",
        "team",
    ),
    *("sharing", "catalog", "uploads", "spending", "engine", "launching", "review", "notices", "history"),
    "display",
]
ENTRY_FOLDERS = ["home", "results", "compare", "live", "manage", "help"]
LAST = ["management", "templatetags", "checks", "tasks", "apps", "urls"]  # these connect everything
# Modules with these names count as entry points only in `audit` and the folders after it.
ENTRY_MODULES = re.compile(r"urls|(views|forms|pages|middleware)(_\w+)?")
STAND_ALONE = ["sandbox", "migrations"]
DOTTED = re.compile(r"(?:runs|lamina_portal)(?:\.[a-z_]+)+(?:\.[A-Za-z_]+)?")


@dataclass(frozen=True)
class Module:
    """A module under runs/: its dotted name, its folder, and whether it is an entry point."""

    name: str

    @property
    def folder(self) -> str:
        return self.name.split(".")[1]

    @property
    def is_entry_point(self) -> bool:
        if self.folder in ENTRY_FOLDERS:
            return True
        is_below = self.folder in FOLDERS and FOLDERS.index(self.folder) >= FOLDERS.index("audit")
        return is_below and self.folder != "display" and ENTRY_MODULES.fullmatch(self.name.split(".")[-1]) is not None


def sources() -> dict[str, str]:
    """Return the source of every module in `runs`, keyed by dotted name; a package goes by its folder's name."""
    found = {}
    for path in sorted((ROOT / "runs").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[1] not in STAND_ALONE and parts != ("runs", "__init__"):
            found[".".join(parts).removesuffix(".__init__")] = path.read_text()
    return found


def imports_of(source: str, names: set[str]) -> Iterator[str]:
    """Return the modules in `names` that `source` imports, at the top or inside a function."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports must be absolute"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                if full in names or node.module in names:
                    yield full if full in names else str(node.module)


def problem(source: Module, target: Module) -> str:
    """Return what is wrong with `source` importing `target`, or "" if nothing is."""
    if source.folder in LAST:
        return ""
    if target.folder in LAST:
        return "imports a module that connects everything"
    is_own = source.folder == target.folder
    if source.is_entry_point:
        return (
            "is an entry point and imports another folder's entry point" if target.is_entry_point and not is_own else ""
        )
    if target.is_entry_point:
        return "isn't an entry point but imports one"
    if not is_own and FOLDERS.index(target.folder) > FOLDERS.index(source.folder):
        return "imports from a folder below"
    return ""


def problems(modules: dict[str, str]) -> list[str]:
    """Return one line for each import that breaks the rules."""
    found = []
    for name, source in modules.items():
        for target in sorted(set(imports_of(source, set(modules)))):
            if wrong := problem(Module(name), Module(target)):
                found.append(f"{name} {wrong}: {target}")
    return found


def circles(arrows: dict[str, set[str]]) -> list[list[str]]:
    """Return everything that each folder or module in an import cycle imports, even indirectly."""
    found = []
    for start in arrows:
        reached, waiting = set[str](), list(arrows[start])
        while waiting:
            here = waiting.pop()
            if here not in reached:
                reached.add(here)
                waiting += arrows.get(here, ())
        if start in reached:
            found.append(sorted(reached))
    return found


def test_every_folder_has_its_place_and_imports_go_one_way() -> None:
    modules = sources()
    folders = {Module(name).folder for name in modules}
    assert folders == {*FOLDERS, *ENTRY_FOLDERS, *LAST}, folders ^ {*FOLDERS, *ENTRY_FOLDERS, *LAST}
    print("\n".join([*FOLDERS, "-- entry points --", *ENTRY_FOLDERS, "-- last --", *LAST]))  # noqa: T201 - for `-s`
    assert problems(modules) == []


def test_no_folders_import_each_other_in_a_circle() -> None:
    modules = sources()
    arrows: dict[str, set[str]] = {}
    for name, source in modules.items():
        if not Module(name).is_entry_point and Module(name).folder not in LAST:
            folder = Module(name).folder
            arrows.setdefault(folder, set()).update(
                {Module(target).folder for target in imports_of(source, set(modules))} - {folder}
            )
    assert circles(arrows) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports in functions and for type checkers count too."""
    modules = {name: source for name, source in sources().items() if Module(name).folder not in LAST}
    packages = {name for name in modules if any(other.startswith(f"{name}.") for other in modules)}
    arrows = {
        name: set(imports_of(source, set(modules))) - packages
        for name, source in modules.items()
        if name not in packages
    }
    assert circles(arrows) == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("runs.engine.new", "from runs.history import filters"),
        ("runs.engine.new", "def f():\n    import runs.display.cards"),
        ("runs.engine.new", "from runs.engine.views import webhook"),
        ("runs.team.views_new", "from runs.home.views import home"),
        ("runs.team.new", "from runs import tasks"),
    ],
)
def test_a_wrong_import_is_found(name: str, source: str) -> None:
    assert len(problems(sources() | {name: source})) == 1


def test_circles_are_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}})
    assert circles({"a": {"b", "c"}, "b": {"c"}}) == []


def dotted_strings(source: str, names: set[str]) -> set[str]:
    """Return the strings in `source` that name a module in `names`, or something inside one."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        if DOTTED.fullmatch(text) and names & {text, text.rpartition(".")[0]}:
            found.add(text)
    return found


def test_one_import_hides_in_the_settings() -> None:
    """Signing in again must save the files of a form, which a folder further down can do. All other dotted names in the
    settings are read by Django and its apps."""
    called = re.compile(r"import_(?:string|module)\(")
    assert [name for name, source in sources().items() if called.search(source)] == ["runs.team.views_sign_in"]
    assert settings.EXPIRED_FILES_KEEPER == "runs.launching.views_expired.keep_expired"


def test_no_import_hides_in_a_string() -> None:
    """Dotted names are allowed only in modules that connect everything, such as the settings, the URLs and the list of
    tasks."""
    modules = sources()
    names = {name for name in modules if name.count(".") > 1 or name == "runs.tasks"}
    named = {
        name: dotted_strings(source, names) - {name}  # a logger may be named after its module
        for name, source in modules.items()
        if Module(name).folder not in LAST
    }
    wrong = {name: texts for name, texts in named.items() if texts}
    # The picture process is started by module name, and its module is in the same folder.
    assert wrong.pop("runs.storage.picture_client") == {"runs.storage.picture_process"}
    assert wrong.pop("runs.background.queue") == {"runs.tasks"}
    assert wrong == {}
    assert dotted_strings('import_string("runs.engine.submit.submit_run")', names)


def test_every_queued_task_exists() -> None:
    tasks = {node.name for node in ast.parse(sources()["runs.tasks"]).body if isinstance(node, ast.FunctionDef)}
    queued = set()
    for source in sources().values():
        queued |= set(re.findall(r"enqueue(?:_long)?\(\s*\"(\w+)\"", source))
    assert len(queued) > 10
    assert queued <= tasks


FIELD_TERMS = {"polling", "sharing", "spending", "launching", "throttling", "routing"}


def test_modules_are_named_after_things() -> None:
    """A gerund doesn't tell a newcomer much, unless it's an established term."""
    names = {
        part
        for path in (ROOT / "runs").rglob("*.py")
        for part in path.relative_to(ROOT).with_suffix("").parts
        if "migrations" not in path.parts
    }
    names |= {path.stem for path in (ROOT / "lamina_portal").rglob("*.py")}
    assert {name for name in names if name.endswith("ing")} <= FIELD_TERMS


@pytest.mark.parametrize("path", sorted((ROOT / "runs/lamina").rglob("*.py")), ids=str)
def test_the_client_does_not_use_django(path: Path) -> None:
    assert not roots(path) & {"django", "django_q", "django_htmx"}


@pytest.mark.parametrize("path", sorted((ROOT / "runs/sandbox").rglob("*.py")), ids=str)
def test_the_sandbox_shares_nothing_with_the_client(path: Path) -> None:
    assert not roots(path) & {"django", "lamina_portal"}
    names = set(re.findall(r"(?:from|import) (runs\.[\w.]+)", path.read_text()))
    assert not [name for name in names if not name.startswith("runs.sandbox")]


@pytest.mark.parametrize("path", sorted((ROOT / "lamina_portal").rglob("*.py")), ids=str)
def test_the_wiring_names_runs_by_dotted_string_only(path: Path) -> None:
    assert "runs" not in roots(path)


def roots(path: Path) -> set[str]:
    """Return the top-level packages that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def test_long_files_are_listed() -> None:
    """Files over 300 lines deserve a look, but there is no limit. This test only prints them (with `-s`)."""
    files = [path for folder in ("lamina_portal", "runs", "tests") for path in (ROOT / folder).rglob("*.py")]
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in files}
    assert lengths
    for name, count in sorted(lengths.items(), key=lambda item: -item[1]):
        if count > 300:
            print(f"{count:5} {name}")  # noqa: T201 - for `-s`
