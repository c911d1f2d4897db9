"""`make` finds a working Python, whatever is on the PATH, and continues where it was interrupted."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = ROOT / ".ci" / "make-venv"

SHIM = "#!/bin/sh\necho 'pyenv: command not found' >&2\nexit 127\n"
OLD = '#!/bin/sh\ncase "$*" in *print*) echo 3.11 ;; *) exit 1 ;; esac\n'
# This Python runs and is new enough, but can't create a virtual environment, like Debian's without python3.13-venv.
BARE = f'#!/bin/sh\ncase "$*" in *ensurepip*|*venv*) exit 1 ;; esac\nexec {sys.executable} "$@"\n'
GOOD = f'#!/bin/sh\nexec {sys.executable} "$@"\n'
# This Python also works. It borrows pip from the tests' environment, because installing pip would take several seconds.
QUICK = f"""#!/bin/sh
if [ "$*" != "-m venv --clear .venv" ]; then exec {sys.executable} "$@"; fi
{sys.executable} -m venv --clear --without-pip .venv || exit
set -- .venv/lib/python*/site-packages
exec {shutil.which("ln")} -s {sysconfig.get_path("purelib")}/pip "$1"
"""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def put(tmp_path: Path) -> Callable[[str, str, str], Path]:
    """Return a function that puts a program into a folder on the PATH: `put("a", "python3.13", SHIM)`."""

    def write(folder: str, name: str, text: str) -> Path:
        path = tmp_path / folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
        return path

    return write


@pytest.fixture
def make_venv(tmp_path: Path) -> Run:
    """Run .ci/make-venv in an empty folder, with only `folders` and the few tools it needs on the PATH."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("sh", "rm", "cat"):
        (tools / tool).symlink_to(shutil.which(tool) or tool)

    def run(*folders: str, **env: str) -> "subprocess.CompletedProcess[str]":
        path = os.pathsep.join([*(str(tmp_path / folder) for folder in folders), str(tools)])
        return subprocess.run(
            [BIN, ".venv"], cwd=tmp_path, env={"PATH": path, **env}, capture_output=True, text=True, timeout=120
        )

    return run


def test_what_does_not_work_is_skipped(tmp_path: Path, put: Callable[[str, str, str], Path], make_venv: Run) -> None:
    put("shims", "python3.14", SHIM)
    put("shims", "python3.13", SHIM)
    put("bare", "python3.13", BARE)
    put("old", "python3.12", OLD)
    good = put("good", "python3", GOOD)
    done = make_venv("shims", "bare", "old", "good")
    assert done.returncode == 0, done.stderr
    assert str(good) in done.stdout
    pip = subprocess.run([tmp_path / ".venv/bin/python", "-m", "pip", "--version"], capture_output=True)
    assert pip.returncode == 0


def test_a_later_folder_of_the_path_is_looked_at_for_the_same_name(
    put: Callable[[str, str, str], Path], make_venv: Run
) -> None:
    put("shims", "python3.13", SHIM)
    put("shims", "python3", OLD)
    good = put("usr", "python3.13", QUICK)
    assert str(good) in make_venv("shims", "usr").stdout


def test_why_each_was_passed_over_and_what_to_install_is_told(
    tmp_path: Path, put: Callable[[str, str, str], Path], make_venv: Run
) -> None:
    shim, old = put("a", "python3.14", SHIM), put("a", "python3", OLD)
    bare = put("a", "python3.13", BARE)
    done = make_venv("a")
    assert done.returncode == 1
    assert f"{shim} does not start" in done.stderr
    assert f"{old} is Python 3.11, older than 3.12" in done.stderr
    version = "{}.{}".format(*sys.version_info)
    assert f"{bare} cannot make a virtual environment: install the package python{version}-venv" in done.stderr
    assert "PYTHON=" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_python_can_be_chosen_by_hand(put: Callable[[str, str, str], Path], make_venv: Run) -> None:
    put("path", "python3", QUICK)
    chosen = put("elsewhere", "my-python", QUICK)
    assert str(chosen) in make_venv("path", PYTHON=str(chosen)).stdout
    old = put("elsewhere", "old-python", OLD)
    refused = make_venv("path", PYTHON=str(old))
    assert refused.returncode == 1
    assert f"{old} is Python 3.11" in refused.stderr


def test_an_activated_environment_does_not_make_itself_anew(
    put: Callable[[str, str, str], Path], make_venv: Run
) -> None:
    put("x", "python3", QUICK)
    assert make_venv("x").returncode == 0
    again = make_venv(".venv/bin", "x")
    assert again.returncode == 0, again.stderr
    assert "/x/python3" in again.stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the Makefile with empty requirements, so it doesn't need the network."""
    for name in ("Makefile", ".ci"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    for name in ("requirements.txt", "requirements-dev.txt"):
        (tmp_path / name).write_text("")
    return tmp_path


def make(project: Path, *arguments: str, python: str | Path = sys.executable) -> "subprocess.CompletedProcess[str]":
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", *arguments, f"PYTHON={python}"]
    return subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, timeout=300)


def test_install_is_done_once_and_again_when_requirements_change(project: Path) -> None:
    first = make(project, "install")
    assert first.returncode == 0, first.stderr
    assert (project / ".venv/bin/python").exists()
    assert "Installing" not in make(project, "install").stdout
    newer = (project / ".venv/.run").stat().st_mtime + 10
    os.utime(project / "requirements.txt", (newer, newer))
    assert "Installing" in make(project, "install").stdout


def test_what_was_interrupted_is_done_again(project: Path, put: Callable[[str, str, str], Path]) -> None:
    quick = put("quick", "python3", QUICK)
    (project / ".venv/bin").mkdir(parents=True)
    (project / ".venv/bin/python").write_text("half of it")
    assert make(project, "install", python=quick).returncode == 0
    assert subprocess.run([project / ".venv/bin/python", "-c", ""]).returncode == 0
    # As if a system upgrade had removed the Python that the environment uses.
    (project / ".venv/bin/python").unlink()
    (project / ".venv/bin/python").symlink_to("/nowhere/python")
    assert make(project, "install", python=quick).returncode == 0
    assert subprocess.run([project / ".venv/bin/python", "-c", ""]).returncode == 0


def test_make_alone_lists_what_can_be_made_and_makes_nothing(project: Path) -> None:
    shown = make(project)
    assert shown.returncode == 0, shown.stderr
    described = dict(re.findall(r"^make ([\w-]+) +(.+)$", shown.stdout, re.M))
    assert len(described) == len(shown.stdout.splitlines())
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^([a-z][\w-]*):", makefile, re.M)
    assert sorted(described) == sorted(targets)
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.M)
    assert phony is not None
    assert sorted(phony[1].split()) == sorted(targets)
    assert not (project / ".venv").exists()


def test_dev_is_the_whole_portal_with_reload_and_debug_pages_unless_told_otherwise(project: Path) -> None:
    (command,) = [line for line in make(project, "--dry-run", "dev").stdout.splitlines() if "manage.py" in line]
    assert command == "PORTAL_DEBUG=${PORTAL_DEBUG:-true} .venv/bin/python manage.py portal --reload"


@pytest.mark.parametrize("target", ["test", "test-all"])
def test_arguments_reach_pytest(project: Path, target: str) -> None:
    shown = make(project, "--dry-run", target, "ARGS=-k history -x").stdout
    assert "-m pytest" in shown
    assert "-k history -x" in shown


@pytest.fixture
def marked_tests(project: Path) -> Path:
    """The same project with one test for each of the markers that decide what `make test` leaves out, and one without
    a marker."""
    markers = ("browser", "whole", "long")
    (project / "pytest.ini").write_text("\n".join(["[pytest]", "markers =", *(f"  {name}" for name in markers)]))
    tests = ["import pytest", "def test_plain(): pass"]
    tests += [f"@pytest.mark.{name}\ndef test_{name}(): pass" for name in markers]
    (project / "test_marked.py").write_text("\n".join(tests))
    return project


def run_tests(project: Path, target: str) -> tuple[set[str], str]:
    """Return which of the project's tests `make` ran, and the last line of its output."""
    done = make(project, target, f"PY={sys.executable}", "ARGS=-n0 -v -p no:django -p no:cacheprovider")
    assert done.returncode == 0, done.stdout + done.stderr
    return set(re.findall(r"::test_(\w+) PASSED", done.stdout)), done.stdout.splitlines()[-1]


def test_make_test_leaves_out_what_takes_long_and_says_where_it_runs(marked_tests: Path) -> None:
    ran, last_line = run_tests(marked_tests, "test")
    assert ran == {"plain"}
    assert last_line.startswith("make test-all also runs")
    ran, _ = run_tests(marked_tests, "test-all")
    assert ran == {"plain", "browser", "whole", "long"}


def test_ci_runs_all_tests() -> None:
    commands = re.findall(r"\bmake (test[a-z-]*)", (ROOT / ".ci" / "run").read_text())
    assert set(commands) == {"test-all"}
