"""Starts the portal's processes for a benchmark and leaves none behind, however the benchmark ends.

Each process has its own session, and its output goes to a log. Stopping it signals only the main process (django-q2's
cluster hangs if its whole group gets the signal); once that has ended or timed out, the whole group is killed.
"""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

from runs.background.prctl import die_with_parent
from tests.support.processes import ROOT, children_of, ticks_of, wait_until

STOP_SECONDS = 10.0
MS_PER_TICK = 1000 / os.sysconf("SC_CLK_TCK")
LOG_SHOWN = 1_000


@dataclass
class Process:
    """One running process and its log."""

    name: str
    popen: "subprocess.Popen[bytes]"
    log: Path

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def await_output(self, words: str, seconds: float = 30.0) -> str:
        """Wait until `words` have been printed, and return the output. Raises AssertionError if it takes too long."""

        def look() -> str:
            found = self.output()
            if words not in found:
                self.demand_alive()
                return ""
            return found

        return wait_until(look, f"{self.name} to say {words!r}", seconds)

    def demand_alive(self) -> None:
        """Raise RuntimeError with the end of the log if the process has ended."""
        if self.popen.poll() is not None:
            raise RuntimeError(f"{self.name} ended with {self.popen.returncode}: {self.output()[-500:]}")

    def stop(self) -> None:
        if self.popen.poll() is None:
            self.popen.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.popen.wait(STOP_SECONDS)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()


class Processes:
    """All processes of one benchmark: a context manager that stops them in reverse order."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: list[Process] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self.running):
            process.stop()

    def start(self, name: str, *arguments: str) -> Process:
        """Run Python with `arguments` in the repository's root folder, with this process's current environment."""
        log = self.folder / f"{name}.log"
        with log.open("wb") as output:
            popen = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=partial(die_with_parent, os.getpid(), signal.SIGTERM),
            )
        process = Process(name, popen, log)
        self.running.append(process)
        return process

    def stop(self, process: Process) -> None:
        """Stop one process. The next process with the same name overwrites its log."""
        process.stop()
        self.running.remove(process)

    def demand_alive(self) -> None:
        """Raise RuntimeError if any process has ended."""
        for process in self.running:
            process.demand_alive()

    def print_logs(self) -> None:
        """Print the end of each log, to show what went wrong."""
        for process in self.running:
            print(f"--- {process.name}\n{process.output()[-LOG_SHOWN:]}")


def workers_of(pid: int) -> list[int]:
    """Return the processes that serve requests."""
    children = [child for child in children_of(pid) if b"tracker" not in Path(f"/proc/{child}/cmdline").read_bytes()]
    return children or [pid]


def ticks_of_all(server: Process) -> int:
    return sum(map(ticks_of, workers_of(server.popen.pid)))
