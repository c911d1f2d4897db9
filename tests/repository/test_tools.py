"""The tools do what they claim: commit hooks run, the audit finds advisories, the coverage report counts lines and
branches, and a benchmark reports only what it measured."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.bench.__main__ import verdict_of
from tests.support.processes import ROOT, free_port

AS_ADA = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
AUDIT = [sys.executable, ".ci/audit.py"]
PINNED = f"harmless==1.0 --hash=sha256:{'0' * 64}\nrotten==2.1 --hash=sha256:{'1' * 64}\n"
ADVISORY = {
    "id": "PYSEC-2026-1",
    "summary": "planted by a test",
    "details": "",
    "published": "2026-01-01T00:00:00Z",
    "affected": [
        {
            "package": {"name": "rotten", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.2"}]}],
        }
    ],
}


# One file of each kind that a hook checks. `make check` runs the same tools on all files.
OF_EACH_KIND = ["manage.py", "templates/web/base.html", "static/portal.js"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A separate repository with the same environment and every file that git would commit here. One file of each kind
    that the hooks check is staged, but not committed yet."""
    copy = tmp_path / "checkout"
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines():
        if (ROOT / name).exists():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    (copy / ".venv").symlink_to(Path(sys.prefix))
    if (ROOT / "node_modules").exists():
        (copy / "node_modules").symlink_to(ROOT / "node_modules")
    if (ROOT / ".mypy_cache").exists():  # saves half a minute of checking unchanged files
        shutil.copytree(ROOT / ".mypy_cache", copy / ".mypy_cache")
    unlike = [f":!{name}" for name in OF_EACH_KIND]
    for command in (
        ["init", "-q"],
        ["add", "--all", ".", *unlike],
        [*AS_ADA, "commit", "-q", "-m", "Most"],
        ["add", "."],
    ):
        subprocess.run(["git", *command], cwd=copy, check=True)
    return copy


@pytest.mark.long
def test_a_commit_with_the_hooks_succeeds(checkout: Path) -> None:
    """Every hook runs during a real commit, and passes."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "PORTAL_", "GIT_"))}
    env["PRE_COMMIT_HOME"] = str(checkout.parent / "hooks")
    pre_commit = [sys.executable, "-m", "pre_commit"]
    subprocess.run([*pre_commit, "install"], cwd=checkout, env=env, check=True, capture_output=True)
    commit = ["git", *AS_ADA, "commit", "-q", "-m", "The rest"]
    done = subprocess.run(commit, cwd=checkout, env=env, capture_output=True, text=True, timeout=570)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    hooks = re.findall(r"^        name: (.+)$", (ROOT / ".pre-commit-config.yaml").read_text(), re.M)
    assert len(hooks) >= 5
    assert [name for name in hooks if not re.search(rf"^{re.escape(name)}\.+Passed", said, re.M)] == []


class Advisories(BaseHTTPRequestHandler):
    """A stand-in for the advisory database, with a single advisory."""

    def do_POST(self) -> None:
        asked: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = json.dumps({"vulns": [ADVISORY]} if asked["package"]["name"] == "rotten" else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def source() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Advisories)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1/query"
    server.shutdown()
    server.server_close()


def audit(folder: Path, source: str, exceptions: str = "") -> "subprocess.CompletedProcess[str]":
    (folder / "requirements.txt").write_text(PINNED)
    (folder / "exceptions.toml").write_text(exceptions)
    env = os.environ | {"AUDIT_SOURCE": source, "AUDIT_EXCEPTIONS": str(folder / "exceptions.toml")}
    command = [*AUDIT, str(folder / "requirements.txt")]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)


def test_a_planted_advisory_is_found(tmp_path: Path, source: str) -> None:
    done = audit(tmp_path, source)
    assert done.returncode == 1
    assert "rotten 2.1: PYSEC-2026-1 (fixed in 2.2)" in done.stderr
    assert "2 dependencies audited: 1 with known vulnerabilities." in done.stdout


def test_an_unreachable_source_is_reported_but_does_not_fail(tmp_path: Path) -> None:
    done = audit(tmp_path, f"http://127.0.0.1:{free_port()}/")
    assert done.returncode == 0
    assert "NOT audited" in done.stdout


@pytest.mark.parametrize(("days", "code"), [(1, 0), (-1, 1)])
def test_an_exception_counts_until_its_last_day(tmp_path: Path, source: str, days: int, code: int) -> None:
    last = datetime.now(UTC).date() + timedelta(days=days)
    text = f'[[exception]]\nid = "PYSEC-2026-1"\nreason = "never called"\nuntil = {last}\n'
    done = audit(tmp_path, source, text)
    assert done.returncode == code, done.stdout + done.stderr
    assert ("ended on" in done.stderr) is (code == 1)


def test_an_exception_without_a_reason_does_not_count(tmp_path: Path, source: str) -> None:
    done = audit(tmp_path, source, '[[exception]]\nid = "PYSEC-2026-1"\nuntil = 2099-01-01\n')
    assert done.returncode == 1
    assert "needs a reason" in done.stderr


def test_the_example_in_the_exceptions_file_can_be_used(tmp_path: Path, source: str) -> None:
    """People remove the # from the example, as the file says, or write such a table below it."""
    text = (ROOT / ".ci/audit-exceptions.toml").read_text()
    example = "".join(re.findall(r"^# (\[\[.+\n|\w+ = .+\n)", text, re.M))
    table = re.sub(r"\d{4}-\d\d-\d\d", "2099-01-01", example.replace("GHSA-xxxx-xxxx-xxxx", "PYSEC-2026-1"))
    assert audit(tmp_path, source, text).returncode == 1
    done = audit(tmp_path, source, f"{text}\n{table}")
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 advisories ignored" in done.stdout


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("exception = []\n\n[[exception]]\n", r"exceptions\.toml is not valid TOML: .+ \(at line 3, column \d+\)\."),
        ('[[exception]]\nid = """PYSEC\n', r"exceptions\.toml is not valid TOML: .+ \(at line 2\)\."),
        ('[exception]\nid = "PYSEC-2026-1"\n', r"exceptions\.toml must list .+ \[\[exception\]\]\."),
        ('exception = ["PYSEC-2026-1"]\n', r"exceptions\.toml must list .+ \[\[exception\]\]\."),
        ('[[exception]]\nid = "a"\nreason = "b"\nuntil = 2099-01-01T00:00:00\n', r"exceptions\.toml: a needs a .+"),
    ],
)
def test_an_invalid_exceptions_file_is_reported_in_a_sentence(
    tmp_path: Path, source: str, text: str, told: str
) -> None:
    done = audit(tmp_path, source, text)
    assert done.returncode == 1
    assert re.fullmatch(told, done.stderr.rstrip("\n")), done.stderr


PARTLY = "branches in partly.py."


@pytest.mark.parametrize(
    ("measured", "told"),
    [
        ([["1"]], [" 75.0 %  partly.py", "100.0 %  main.py", "Coverage: 85.7 % of 7 lines."]),
        (
            [["--branch", "1"]],
            [" 66.7 %  partly.py", "100.0 %  main.py", f"Coverage: 85.7 % of 7 lines, 50.0 % of 2 {PARTLY}"],
        ),
        (
            [["--branch", "1"], ["-1"]],
            [" 83.3 %  partly.py", "100.0 %  main.py", f"Coverage: 100.0 % of 7 lines, 50.0 % of 2 {PARTLY}"],
        ),
        (
            [["--branch", "1"], ["--branch", "-1"]],
            ["100.0 %  main.py", "100.0 %  partly.py", f"Coverage: 100.0 % of 7 lines, 100.0 % of 2 {PARTLY}"],
        ),
    ],
)
def test_the_coverage_report_counts_lines_and_branches(
    tmp_path: Path, measured: list[list[str]], told: list[str]
) -> None:
    """Measures two small modules, once or twice. Each run leaves out one line and one branch of the second module."""
    (tmp_path / "main.py").write_text("import sys\nfrom partly import sign\nsign(int(sys.argv[1]))\n")
    (tmp_path / "partly.py").write_text("def sign(number):\n    if number < 0:\n        return '-'\n    return '+'\n")
    env = {name: value for name, value in os.environ.items() if not name.startswith("COV")}  # of these tests themselves
    coverage = [sys.executable, "-m", "coverage"]
    for n, (*options, number) in enumerate(measured):
        command = [*coverage, "run", f"--data-file=data{n}", *options, "main.py", number]
        subprocess.run(command, cwd=tmp_path, env=env, check=True, timeout=120)

    report = [sys.executable, str(ROOT / ".ci/coverage_report.py"), *(f"data{n}" for n in range(len(measured)))]
    done = subprocess.run(report, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == told


def test_a_failed_test_gets_no_second_go() -> None:
    places = [ROOT / name for name in (".ci/run", "Makefile", "pyproject.toml", "requirements-dev.txt")]
    found = re.findall(r"rerun|--lf|--last-failed|--ff|flaky|pytest-retry", " ".join(map(Path.read_text, places)))
    assert found == []


def test_no_target_is_met_when_nothing_was_measured() -> None:
    """Runs the real benchmark, without the services that part of it needs."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("TEST_")}
    command = [sys.executable, "-m", "tests.bench", "history_postgres"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "Nothing was measured" in done.stdout
    assert "is met" not in done.stdout
    assert "Not measured: history_postgres." in done.stdout


def test_a_missed_target_is_not_hidden_by_others() -> None:
    assert verdict_of([True, True]) == "Every measured target is met."
    assert verdict_of([True, False]) == "Not every target is met."
