"""A forked part behaves like a separate program, and once the source code has changed, it is restarted as one."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runs.management.forked import Forked
from runs.management.source import Source
from runs.management.supervision import Part
from tests.support.processes import ROOT, TIMEOUT_SECONDS, Home, wait_until

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs Linux's /proc")
# Runs in a separate process, because the test process has threads and so shouldn't fork.
DRIVER = """
import sys
from pathlib import Path
from runs.management.forked import Forked
forked = Forked(sys.argv[1:], Path.cwd())
print(forked.pid, flush=True)
print(forked.wait(60))
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def start(home: Home, code: str, *arguments: str) -> "subprocess.Popen[bytes]":
    """Start a small process that forks and runs `code` in its child."""
    file = home.folder / "part.py"
    file.write_text(code)
    return home.run(sys.executable, "-c", DRIVER, str(file), *arguments)


def said(home: Home, words: str) -> list[str]:
    return wait_until(lambda: home.output().splitlines() if words in home.output() else [], words)


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        ("", 0),
        ("raise SystemExit(3)", 3),
        ("raise SystemExit('told')", 1),
        ("raise ValueError('told')", 1),
        ("import os; os._exit(4)", 4),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        # SIGTERM has its default effect, since the fork doesn't inherit the supervisor's handler
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
    ],
)
def test_it_ends_like_a_program(home: Home, code: str, exit_code: int) -> None:
    assert start(home, code).wait(TIMEOUT_SECONDS) == 0
    assert home.output().split()[-1] == str(exit_code), home.output()
    assert ("told" in home.output()) is ("told" in code)


def test_it_looks_like_a_program_of_its_own(home: Home) -> None:
    code = "import os, sys; print(sys.argv[1:], __name__, os.getsid(0) == os.getpid(), sys.stdin.read(), 'end')"
    process = start(home, code + "\nimport time; time.sleep(60)", "one", "two")
    output = said(home, "end\n")
    assert "['one', 'two'] __main__ True  end" in output
    assert set(home.processes(f"{home.folder}/part.py")) == {process.pid, int(output[0])}
    assert Path(f"/proc/{output[0]}/cmdline").read_bytes().startswith(str(home.folder).encode())
    process.kill()
    wait_until(lambda: not home.processes(), "the fork to end with its parent")


def test_it_runs_a_module_like_a_program(home: Home) -> None:
    process = home.run(sys.executable, "-c", DRIVER, "-m", "runs.sandbox", "--help")
    assert process.wait(TIMEOUT_SECONDS) == 0
    assert "--per-minute" in home.output()
    assert home.output().split()[-1] == "0"


def test_a_changed_source_is_seen_at_the_next_start_and_stays_so(tmp_path: Path) -> None:
    file = tmp_path / "runs" / "module.py"
    file.parent.mkdir()
    file.write_text("")
    source = Source(tmp_path, every=0.0)
    assert source.is_unchanged()
    os.utime(file, (1, 1))
    assert not source.is_unchanged()
    assert not source.is_unchanged()


def test_a_part_is_forked_only_while_it_would_be_the_current_source(tmp_path: Path) -> None:
    file = tmp_path / "part.py"
    file.write_text("import time; time.sleep(60)")
    answers = [True, False]
    part = Part("one", [sys.executable, str(file)], ROOT, is_forked=lambda: answers.pop(0))
    for kind in (Forked, subprocess.Popen):
        part.start()
        assert isinstance(part.process, kind)
        part.stop(deadline=0)
        assert part.has_ended()
