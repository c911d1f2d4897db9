"""Runs a Python command in a fork of this process, so that it shares the memory of everything that this process has
loaded.

Fork only while this process has no threads, no open database connections and no locks.
"""

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from runs.background import process_title
from runs.background.prctl import die_with_parent

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # signals that the supervisor handles
LOOK_SECONDS = 0.05


class Forked:
    """A command that runs in a fork, with the methods of `subprocess.Popen` that the supervisor needs.

    `command` is what follows `python` on a command line: a file, or `-m` and a module, followed by arguments.
    """

    def __init__(self, command: list[str], folder: Path) -> None:
        self._process = multiprocessing.get_context("fork").Process(target=_run, args=(command, folder, os.getpid()))
        # Block these signals until the fork has replaced our handlers
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        self.pid: int = self._process.pid or 0

    def poll(self) -> int | None:
        """Return the exit code (negative for a signal), or None while the process is running."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the exit code. Doesn't use `join`, which would also wait for the children of a killed process."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(self._process.name, timeout or 0)
            time.sleep(LOOK_SECONDS)
        return code

    def terminate(self) -> None:
        self._process.terminate()


def _run(command: list[str], folder: Path, parent_pid: int) -> None:
    """Make this process behave as if `python` had started it with this command, in its own session and without
    input."""
    os.setsid()
    die_with_parent(parent_pid, signal.SIGTERM)
    for sig in SIGNALS:
        signal.signal(sig, signal.default_int_handler if sig is signal.SIGINT else signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.chdir(folder)
    is_module = command[0] == "-m"
    sys.argv = command[1:] if is_module else command
    process_title.show(" ".join(sys.argv))
    run = partial(runpy.run_module, alter_sys=True) if is_module else runpy.run_path
    run(sys.argv[0], run_name="__main__")
