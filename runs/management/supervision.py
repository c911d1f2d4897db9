"""Supervises the portal processes: starts them in order, watches, restarts and stops them, and leaves none behind.

A part is a program or, if this process has loaded what the part needs, a fork of this process (see `forked`). Each part
has its own session, so that Ctrl-C reaches only the supervisor. If the supervisor is killed, the kernel sends each part
SIGTERM. Only a part's main process gets SIGTERM, because django-q2's cluster hangs if its whole group gets the signal.
A part that hasn't ended in time is killed, along with its group.
"""

import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType

from runs.background.prctl import die_with_parent
from runs.management.forked import Forked

LOOK_SECONDS = 0.2
STOP_SECONDS = 20.0
MAX_RESTARTS = 5
PER_SECONDS = 60.0

Say = Callable[[str], None]


class PartDied(Exception):
    """A part that must keep running has ended; str() is the message for the terminal."""


class StopAsked(Exception):
    """Ctrl-C, SIGTERM or SIGHUP was received."""


@dataclass
class Part:
    """One process of the portal.

    `is_restarted`: the part is restarted if it ends; otherwise, everything stops. `is_reloaded`: the part runs our
    source and restarts when the source changes. If a reloaded part ends, it isn't restarted until the next change,
    because nothing else would help. `is_forked` is called at each start; it returns whether to run the command in a
    fork of this process, with `fork_options`.
    """

    name: str
    command: list[str]
    folder: Path
    is_restarted: bool = False
    is_reloaded: bool = False
    is_forked: Callable[[], bool] = lambda: False
    fork_options: list[str] = field(default_factory=list)
    is_alive: Callable[[], bool] = lambda: True  # called every few seconds; False means that the part hangs
    on_start: Callable[[], None] = lambda: None
    # Called before a restart with the exit code (None if the part hung).
    on_restart: Callable[[int | None], None] = lambda _exit_code: None
    process: "subprocess.Popen[bytes] | Forked | None" = None
    restarts: deque[float] = field(default_factory=deque)  # times of restarts on the monotonic clock

    def start(self) -> None:
        if self.is_forked():
            self.process = Forked([*self.command[1:], *self.fork_options], self.folder)
        else:
            self.process = self._start_program()
        self.on_start()

    def _start_program(self) -> "subprocess.Popen[bytes]":
        prepare = partial(die_with_parent, os.getpid(), signal.SIGTERM)
        return subprocess.Popen(  # noqa: S603 - our own commands
            self.command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=prepare,
        )

    @property
    def exit_code(self) -> int | None:
        """The exit code, as `Popen.poll` returns it: minus the signal's number if a signal killed the part."""
        return self.process.poll() if self.process else None

    def exit_words(self) -> str:
        """Return how the part ended, for use in a sentence, such as "ended with code 1" or "was killed by SIGKILL"."""
        code = self.exit_code
        if code is not None and code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"ended with code {code}"

    def has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def stop(self, deadline: float) -> None:
        """Ask the main process to end, wait until `deadline` (monotonic), then kill the rest of its group."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(max(0.1, deadline - time.monotonic()))
        with suppress(ProcessLookupError, PermissionError):  # no process is left (macOS raises PermissionError)
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Supervisor:
    """Runs parts, and stops them in the order given by `stop_order` (their names)."""

    def __init__(self, say: Say, stop_order: Iterable[str]) -> None:
        self.say = say
        self.stop_order = list(stop_order)
        self.parts: dict[str, Part] = {}
        self.is_stop_asked = False

    def catch_signals(self) -> None:
        """From now on, remember Ctrl-C, SIGTERM and SIGHUP, and check for them between steps.

        This sets the handlers explicitly, because a job that a script starts with `&` ignores SIGINT. If SIGCHLD were
        ignored, we wouldn't notice that a part has ended.
        """
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sig, self._remember_stop)

    def _remember_stop(self, _signum: int, _frame: FrameType | None) -> None:
        self.is_stop_asked = True

    def start(self, part: Part, is_up: Callable[[], bool] = lambda: True, seconds: float = 60.0) -> None:
        """Start `part` and wait until `is_up` returns True. Raises PartDied if that takes longer than `seconds`."""
        self.parts[part.name] = part
        part.start()
        deadline = time.monotonic() + seconds
        while not is_up():
            self.look()
            if time.monotonic() > deadline:
                raise PartDied(f"The {part.name} did not respond within {seconds:.0f} seconds.")
            time.sleep(LOOK_SECONDS / 2)

    def watch(self, changed: Callable[[], list[str]] = list) -> None:
        """Watch the parts until StopAsked or PartDied is raised. Reload them when `changed` returns paths."""
        while True:
            self.look()
            if paths := changed():
                self._reload(paths)
            time.sleep(LOOK_SECONDS)

    def _reload(self, paths: list[str]) -> None:
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        self.say(f"{paths[0]}{more} changed; restarting.")
        for name in self.stop_order:
            part = self.parts.get(name)
            if part and part.is_reloaded and not self.is_stop_asked:
                part.stop(time.monotonic() + STOP_SECONDS)
                part.start()

    def look(self) -> None:
        """Check all parts once: restart those that may be restarted, or raise StopAsked or PartDied."""
        if self.is_stop_asked:
            raise StopAsked
        for part in self.parts.values():
            if part.process is None:  # the part is waiting for a source change
                continue
            if part.has_ended():
                self._handle_end(part, f"The {part.name} {part.exit_words()}", part.exit_code)
            elif not part.is_alive():
                part.stop(time.monotonic() + STOP_SECONDS)
                self._handle_end(part, f"The {part.name} gave no sign of life for a while", None)

    def _handle_end(self, part: Part, what: str, exit_code: int | None) -> None:
        if part.is_reloaded:
            part.stop(time.monotonic())  # kill any processes that it left behind
            part.process = None
            self.say(f"{what}; it restarts when a file changes.")
            return
        if not part.is_restarted:
            raise PartDied(f"{what}; the portal cannot run without it.")
        now = time.monotonic()
        while part.restarts and part.restarts[0] <= now - PER_SECONDS:
            part.restarts.popleft()
        if len(part.restarts) >= MAX_RESTARTS:
            raise PartDied(f"{what}, the {MAX_RESTARTS + 1}th time within a minute; the portal stops.")
        part.restarts.append(now)
        part.stop(now)  # kill any processes that it left behind
        part.on_restart(exit_code)
        self.say(f"{what}; restarting it.")
        part.start()

    def stop(self) -> None:
        """Stop all parts within STOP_SECONDS. The order ensures that no new work arrives while the remaining parts are
        being stopped."""
        deadline = time.monotonic() + STOP_SECONDS
        for name in self.stop_order:
            if name in self.parts:
                self.parts[name].stop(deadline)


class Pulse:
    """Detects whether a part is alive: the value that `read` returns must keep changing.

    Time is measured with our own monotonic clock, so it doesn't matter if other hosts' clocks are wrong or if the
    laptop has been asleep.
    """

    def __init__(self, read: Callable[[], object], seconds: float = 120.0, every: float = 5.0) -> None:
        self.read = read
        self.seconds = seconds
        self.every = every
        self.restart()

    def restart(self) -> None:
        """Reset the state, because the part has just started."""
        self._value: object = None
        self._changed_at = self._read_at = time.monotonic()

    def is_beating(self) -> bool:
        now = time.monotonic()
        if now - self._read_at < self.every:
            return True
        self._read_at = now
        value = self.read()
        if value != self._value:
            self._value, self._changed_at = value, now
        return now - self._changed_at < self.seconds


def python(*arguments: str) -> list[str]:
    """Return the command that runs `arguments` with this Python."""
    return [sys.executable, *arguments]
