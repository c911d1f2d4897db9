"""Runs real portal processes for tests: starts them in their own data folder, finds them, and stops them all."""

import fcntl
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from runs.background.prctl import die_with_parent

ROOT = Path(__file__).parents[2]
# How long to wait for something that must happen. A wait ends as soon as it happens, so this doesn't slow down passing
# tests, but a busy machine may need most of it. No test waits for less time, unless it tests speed.
TIMEOUT_SECONDS = 90.0
SHARED = "TEST_SHARED_DIR"  # this variable names a folder that all processes in a test run share
PORTS = range(10_240, 32_768)  # these ports are below the ones that systems use for outgoing connections
_lent: list[socket.socket] = []


def wait_until[T](condition: Callable[[], T], what: str, seconds: float = TIMEOUT_SECONDS, *, every: float = 0.05) -> T:
    """Wait until `condition` returns something truthy, and return it; if that never happens, name `what` in the error.

    `every` is the pause between two checks, in seconds; make it longer for a condition that is expensive to check.
    """
    deadline = time.monotonic() + seconds
    while True:
        if found := condition():
            return found
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain: {what}"
        time.sleep(every)


@contextmanager
def busy_at_most(seconds: float) -> Iterator[None]:
    """Fail if this thread uses more than `seconds` of CPU time; other processes don't count."""
    began = time.thread_time()
    yield
    assert time.thread_time() - began < seconds


def free_port() -> int:
    """Return a free loopback port, reserved for this process until it ends.

    The UDP port with the same number stays bound, so that other test processes see that the port is taken.
    """
    for port in random.SystemRandom().sample(PORTS, len(PORTS)):
        mark = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            mark.bind(("127.0.0.1", port))
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            mark.close()
        else:
            _lent.append(mark)
            return port
    raise RuntimeError("every port is taken")


class Home:
    """A data folder for portal processes. The processes can be found because the folder is in their environment."""

    def __init__(self, folder: Path, **env: str) -> None:
        self.folder = folder
        self.root = ROOT  # where the code is
        self.log = folder / "output.log"
        database = {"DATABASE_URL": ""}  # SQLite in the folder, whatever the tests themselves use
        self.env = {**os.environ, "DJANGO_SETTINGS_MODULE": "lamina_portal.settings", **database}
        self.env |= {"PORTAL_DATA_DIR": str(folder), "PYTHONWARNINGS": "error::DeprecationWarning"}
        self.env |= {"SPT_NOENV": "1", **env}  # setproctitle keeps the environment, in which `processes` looks

    def manage(self, *arguments: str) -> str:
        """Run a command of manage.py and return its output; the test fails if the command does."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=self.root, env=self.env, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def migrate(self) -> None:
        """Create all tables in an empty database by copying one that has already been migrated, because running the
        migrations takes several seconds."""
        if SHARED not in os.environ:
            self.manage("migrate", "--verbosity", "0")
        elif url := self.env["DATABASE_URL"]:
            copy_migrated(url)
        else:
            shutil.copyfile(migrated(Path(os.environ[SHARED])), self._data_folder() / "portal.sqlite3")

    def collect_static(self) -> None:
        """Copy static files that were collected earlier, because joining and compressing them takes several seconds."""
        if SHARED not in os.environ:
            self.manage("collectstatic", "--noinput", "--verbosity", "0")
        else:
            shutil.copytree(collected(Path(os.environ[SHARED])), self._data_folder() / "static", dirs_exist_ok=True)

    def _data_folder(self) -> Path:
        """Return the folder for the database and the static files, creating it if necessary."""
        folder = self.folder if self.env.get("LAMINA_API_KEY") else self.folder / "sandbox"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def start(self, *arguments: str, **options: Any) -> "subprocess.Popen[bytes]":
        """Start a command of manage.py in its own session; its output is appended to `log`."""
        return self.run(sys.executable, "manage.py", *arguments, **options)

    def run(self, *command: str, **options: Any) -> "subprocess.Popen[bytes]":
        """Start any `command` the way `start` does."""
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=self.root,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=partial(die_with_parent, os.getpid(), signal.SIGTERM),
                **options,
            )

    def output(self) -> str:
        """Return everything that the processes have output so far."""
        return self.log.read_text() if self.log.exists() else ""

    def processes(self, word: str = "") -> list[int]:
        """Return the ids of this home's running processes whose command line contains `word`."""
        mark = f"PORTAL_DATA_DIR={self.folder}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                try:
                    environ = (entry / "environ").read_bytes().split(b"\0")
                    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                except OSError:
                    continue
                if mark in environ and word in command:
                    found.append(int(entry.name))
        return sorted(found)

    def end_all(self) -> None:
        """Kill all processes that are still running."""
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        wait_until(lambda: not self.processes(), "every process to be gone")


def migrated(folder: Path) -> Path:
    """Return the path of a freshly migrated SQLite database, which is made only once in `folder`, from the one of an
    earlier test run if neither migrations nor models have changed since."""
    made = folder / "migrated.sqlite3"
    earlier = ROOT / ".pytest_cache" / f"migrated-{_schema_hash()}.sqlite3"
    with only_one("sqlite"):
        if not made.exists() and earlier.exists():
            shutil.copyfile(earlier, made)
        if not made.exists():
            home = Home(folder)
            home.manage("migrate", "--verbosity", "0")
            for old in earlier.parent.glob("migrated-*.sqlite3"):
                old.unlink(missing_ok=True)
            earlier.parent.mkdir(exist_ok=True)
            shutil.copyfile(folder / "sandbox" / "portal.sqlite3", earlier.with_suffix(".part"))
            earlier.with_suffix(".part").rename(earlier)
            (folder / "sandbox" / "portal.sqlite3").rename(made)
    return made


def _schema_hash() -> str:
    """Return a hash of everything that decides what a migrated database looks like."""
    folders = [ROOT / "runs" / name for name in ("migrations", "models", "audit")]
    files = sorted(path for folder in folders for path in folder.rglob("*.py"))
    return sha256(b"".join(path.read_bytes() for path in [ROOT / "requirements.txt", *files])).hexdigest()[:16]


def collected(folder: Path) -> Path:
    """Return the folder with the static files that the portal serves, which are collected only once in `folder`."""
    made = folder / "static"
    with only_one("static"):
        if not made.exists():
            home = Home(folder / "collecting")
            home.folder.mkdir(exist_ok=True)  # it may be left over from an attempt that failed
            home.manage("collectstatic", "--noinput", "--verbosity", "0")
            (home.folder / "sandbox" / "static").rename(made)
    return made


def migrated_on_server(url: str) -> str:
    """Return the name of a freshly migrated PostgreSQL database, which is made only once, on the same server as
    `url`."""
    folder = Path(os.environ[SHARED])
    made = folder / "migrated.postgres"
    with only_one("postgres"):
        if not made.exists():
            address = urlsplit(url)._replace(path=f"/{folder.name}").geturl()
            drop_database(address)  # it may be left over from a migration that failed
            on_server(url, f'CREATE DATABASE "{folder.name}"')
            Home(folder, DATABASE_URL=address).manage("migrate", "--verbosity", "0")
            made.write_text(address)
    return folder.name


def copy_migrated(url: str) -> None:
    """Replace the PostgreSQL database at `url` with a copy of one that has already been migrated."""
    template = migrated_on_server(url)
    with only_one("postgres"):
        drop_database(url)
        on_server(url, f'CREATE DATABASE "{urlsplit(url).path[1:]}" TEMPLATE "{template}"')


def migrate_ahead() -> None:
    """Make the database that the test workers copy, while they are still collecting tests. If that fails, a worker
    makes it and reports the error."""
    import psycopg

    with suppress(AssertionError, psycopg.Error):
        if url := os.environ.get("TEST_DATABASE_URL"):
            migrated_on_server(url)
        else:
            migrated(Path(os.environ[SHARED]))


def drop_migrated(folder: Path) -> None:
    """Drop the database that `copy_migrated` copies, if this test run made it."""
    if (made := folder / "migrated.postgres").exists():
        drop_database(made.read_text())


def drop_database(url: str) -> None:
    on_server(url, f'DROP DATABASE IF EXISTS "{urlsplit(url).path[1:]}" WITH (FORCE)')


def on_server(url: str, command: str) -> None:
    """Run the SQL `command` on the server of the database at `url`, even if that database doesn't exist."""
    import psycopg

    with psycopg.connect(urlsplit(url)._replace(path="/postgres").geturl(), autocommit=True) as server:
        server.execute(cast(Any, command))


@contextmanager
def only_one(what: str) -> Iterator[None]:
    """Let only one process at a time in this test run make or copy `what`."""
    with (Path(os.environ[SHARED]) / f"{what}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


GONE = (FileNotFoundError, ProcessLookupError)  # the process ended before its file in /proc was opened or read


def is_gone(pid: int) -> bool:
    """Return whether `pid` has ended, even if nothing has reaped it. In a container, process 1 may never reap it."""
    return state_of(pid) in ("Z", "X")


def state_of(pid: int) -> str:
    """Return the kernel's letter for the state of `pid`: "R", "S", "T" (stopped), "Z", …; "X" if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except GONE:
        return "X"


def ticks_of(pid: int) -> int:
    """Return the CPU time of `pid` in the kernel's ticks (usually 10 ms); 0 if it is gone."""
    try:
        return sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]))
    except GONE:
        return 0


def children_of(pid: int) -> list[int]:
    """Return the ids of the direct children of `pid`, oldest first."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(*GONE):
            found += map(int, path.read_text().split())
    return sorted(found)


def lines(path: Path) -> Iterator[str]:
    """Return the lines of a file that may not exist yet."""
    if path.exists():
        yield from path.read_text().splitlines()


def dead_pid() -> int:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid
