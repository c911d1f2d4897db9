"""If the worker doesn't run tasks any more, whichever of its processes was killed, it ends within `--silent-seconds`,
so that it is started again. When asked to stop, it stops promptly."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.support import engines
from tests.support.processes import TIMEOUT_SECONDS, Home, children_of, lines, state_of, wait_until

pytestmark = [pytest.mark.whole, pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs Linux's /proc")]
ENQUEUE = "from django_q.tasks import async_task; async_task('tests.support.slow_tasks.{}', {!r}, {!r})"

SILENT_SECONDS = "6"  # 30 s in production
LONG = int(2 * TIMEOUT_SECONDS)  # how many seconds a long task takes; nothing may wait for it to finish
HEARTBEATS = "from runs.models import Heartbeat; print(*Heartbeat.objects.values_list('name', flat=True), sep='\\n')"


@pytest.fixture(scope="module", params=engines.parameters())
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with engines.engine(request.param) as engine:
        nobody = "http://127.0.0.1:9"
        home = Home(tmp_path_factory.mktemp("worker"), LAMINA_BASE_URL=nobody, **engine.env)
        home.migrate()
        yield home
        home.end_all()


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """Return the file that this test's tasks write to."""
    return tmp_path / "notes"


@pytest.fixture
def worker(home: Home, notes: Path) -> "Iterator[subprocess.Popen[bytes]]":
    """Start a worker and wait until it has run a task."""
    process = home.start("worker", "--silent-seconds", SILENT_SECONDS)
    enqueue(home, "note", notes, "awake")
    wait_until(lambda: "awake" in lines(notes), "the worker to do its first task")
    yield process
    home.end_all()
    process.wait()


def enqueue(home: Home, task: str, notes: Path, value: object) -> None:
    home.manage("shell", "--no-imports", "-c", ENQUEUE.format(task, str(notes), value))


def own_name(worker: "subprocess.Popen[bytes]") -> str:
    return f"worker {socket.gethostname()}:{worker.pid}"


def heartbeats(home: Home) -> list[str]:
    """Return the names of the clusters in the database."""
    return home.manage("shell", "--no-imports", "-c", HEARTBEATS).splitlines()


def sentinel_of(worker: "subprocess.Popen[bytes]") -> int:
    return children_of(worker.pid)[-1]


def test_it_stops_at_once_inside_a_long_task(home: Home, notes: Path, worker: "subprocess.Popen[bytes]") -> None:
    enqueue(home, "window", notes, LONG)
    wait_until(lambda: "begun" in lines(notes), "the long task to begin")
    worker.terminate()
    assert worker.wait(TIMEOUT_SECONDS) == 0
    assert list(lines(notes)) == ["awake", "begun", "stopped"]
    wait_until(lambda: not home.processes(), "the rest to be gone")


def test_it_is_recorded_once_it_runs_and_forgotten_when_stopped(home: Home, worker: "subprocess.Popen[bytes]") -> None:
    wait_until(lambda: own_name(worker) in heartbeats(home), "its own sign of life")
    worker.terminate()
    assert worker.wait(TIMEOUT_SECONDS) == 0
    left = heartbeats(home)
    assert own_name(worker) not in left
    assert "worker" in left


def test_the_next_worker_notices_a_killed_one(home: Home, worker: "subprocess.Popen[bytes]") -> None:
    wait_until(lambda: own_name(worker) in heartbeats(home), "its own sign of life")
    worker.kill()
    worker.wait()
    home.start("worker", "--silent-seconds", SILENT_SECONDS)
    wait_until(lambda: own_name(worker) not in heartbeats(home), "the next one to find it gone")


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_a_short_task_is_finished_first(
    home: Home, notes: Path, worker: "subprocess.Popen[bytes]", sig: signal.Signals
) -> None:
    enqueue(home, "busy", notes, 2)
    wait_until(lambda: "begun" in lines(notes), "the task to begin")
    worker.send_signal(sig)
    assert worker.wait(TIMEOUT_SECONDS) == 0
    assert list(lines(notes))[-1] == "done"
    wait_until(lambda: not home.processes(), "the rest to be gone")


def test_plain_qcluster_sees_the_stop_flag_as_never_set(home: Home, notes: Path) -> None:
    """Plain `qcluster` works too; a long task just runs to completion."""
    process = home.start("qcluster")
    enqueue(home, "window", notes, 2)
    wait_until(lambda: "begun" in lines(notes), "the task to begin")
    process.terminate()
    assert process.wait(TIMEOUT_SECONDS) == 0
    assert list(lines(notes)) == ["begun", "done"]


def test_nothing_is_left_of_a_killed_main_process(home: Home, worker: "subprocess.Popen[bytes]") -> None:
    worker.kill()
    worker.wait()
    wait_until(lambda: not home.processes(), "the orphans to be gone")


def test_nothing_is_left_of_a_killed_sentinel(home: Home, worker: "subprocess.Popen[bytes]") -> None:
    os.kill(sentinel_of(worker), signal.SIGKILL)
    assert worker.wait(TIMEOUT_SECONDS) == 3
    wait_until(lambda: not home.processes(), "the rest to be gone")


def test_it_ends_if_killed_processes_leave_it_deaf(home: Home, worker: "subprocess.Popen[bytes]") -> None:
    """One of the idle processes always holds the queue's lock, and no other process can take it after the kill."""
    os.kill(sentinel_of(worker), signal.SIGSTOP)  # otherwise it might replace one before the next one is killed
    for pid in children_of(sentinel_of(worker)):
        os.kill(pid, signal.SIGKILL)
    os.kill(sentinel_of(worker), signal.SIGCONT)
    assert worker.wait(TIMEOUT_SECONDS) == 3
    assert "No task has ended for 6 seconds" in home.output()
    wait_until(lambda: not home.processes(), "the rest to be gone")


def test_it_stays_while_every_process_is_busy(home: Home, notes: Path, worker: "subprocess.Popen[bytes]") -> None:
    """Silence means nothing then: Lamina may take a minute to answer each start."""
    for _ in range(settings.Q_CLUSTER["workers"]):
        enqueue(home, "window", notes, 3 * int(SILENT_SECONDS))
    wait_until(lambda: list(lines(notes)).count("done") == settings.Q_CLUSTER["workers"], "all tasks to be done")
    assert worker.poll() is None
    enqueue(home, "note", notes, "still there")
    wait_until(lambda: "still there" in lines(notes), "the next task")


def test_long_tasks_leave_two_seats(home: Home, notes: Path, worker: "subprocess.Popen[bytes]") -> None:
    """Of eleven long tasks, eight run (one more may be the poller's), and other tasks don't have to wait for them."""
    for _ in range(settings.Q_CLUSTER["workers"]):
        enqueue(home, "long_window", notes, LONG)
    enqueue(home, "note", notes, "meanwhile")
    wait_until(lambda: "meanwhile" in lines(notes), "another task")
    assert list(lines(notes)).count("begun") == settings.Q_CLUSTER["workers"] - 3


def test_sigterm_to_the_whole_group_does_not_hang(home: Home, notes: Path, worker: "subprocess.Popen[bytes]") -> None:
    enqueue(home, "busy", notes, LONG)
    wait_until(lambda: "begun" in lines(notes), "the task to begin")
    os.killpg(worker.pid, signal.SIGTERM)
    assert worker.wait(TIMEOUT_SECONDS) == 3
    wait_until(lambda: not home.processes(), "the rest to be gone")


def test_a_stop_just_as_the_sentinel_dies_does_not_hang(home: Home, worker: "subprocess.Popen[bytes]") -> None:
    """The main process notices the sentinel's death just as it receives the signal. It must not wait forever for the
    dead process."""
    sentinel = sentinel_of(worker)
    os.kill(worker.pid, signal.SIGSTOP)
    wait_until(lambda: state_of(worker.pid) == "T", "the main process to stand still")
    os.kill(sentinel, signal.SIGKILL)
    worker.terminate()
    os.kill(worker.pid, signal.SIGCONT)
    assert worker.wait(TIMEOUT_SECONDS) == 3
    wait_until(lambda: not home.processes(), "the rest to be gone")


def test_a_killed_busy_process_is_replaced(home: Home, notes: Path, worker: "subprocess.Popen[bytes]") -> None:
    before = set(children_of(sentinel_of(worker)))
    enqueue(home, "own_pid", notes, LONG)
    busy = wait_until(lambda: [line for line in lines(notes) if line.isdigit()], "the task to name its process")
    os.kill(int(busy[0]), signal.SIGKILL)
    wait_until(lambda: set(children_of(sentinel_of(worker))) - before, "another process in its place")
    enqueue(home, "note", notes, "still there")
    wait_until(lambda: "still there" in lines(notes), "the next task")
    assert worker.poll() is None


def test_tasks_run_side_by_side(home: Home, notes: Path, worker: "subprocess.Popen[bytes]") -> None:
    for _ in range(3):
        enqueue(home, "window", notes, LONG)
    wait_until(lambda: list(lines(notes)).count("begun") == 3, "all three tasks to begin")
    enqueue(home, "note", notes, "meanwhile")
    wait_until(lambda: "meanwhile" in lines(notes), "another task")
    worker.terminate()
    assert worker.wait(TIMEOUT_SECONDS) == 0
    assert list(lines(notes)).count("stopped") == 3
