"""Keeps the portal's processes together: started in order, watched, restarted or taken down, never left behind.

Each part has a session of its own, so that a Ctrl-C of the terminal reaches only the supervisor, and asks the kernel
for SIGTERM should the supervisor be killed. Only a part's main process gets SIGTERM: django-q2's cluster hangs when
its whole group does. What has not ended in time is killed, group and all.
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

LOOK_SECONDS = 0.2
STOP_SECONDS = 20.0
MAX_RESTARTS = 5
PER_SECONDS = 60.0

Say = Callable[[str], None]


class PartDied(Exception):
    """A part ended that must not; str() is the sentence for the terminal."""


class StopAsked(Exception):
    """Ctrl-C, SIGTERM or SIGHUP came."""


@dataclass
class Part:
    """One process of the portal.

    `is_restarted`: an end of it is mended instead of ending all. `is_reloaded`: it runs our source, starts again when
    that changes, and when it ends, it waits for the next change, since only that will help.
    """

    name: str
    command: list[str]
    folder: Path
    is_restarted: bool = False
    is_reloaded: bool = False
    is_alive: Callable[[], bool] = lambda: True  # asked every few seconds; False means it hangs
    on_start: Callable[[], None] = lambda: None
    on_mend: Callable[[str], None] = lambda _what: None  # told what happened, before it is started again
    process: "subprocess.Popen[bytes] | None" = None
    restarts: deque[float] = field(default_factory=deque)  # monotonic times

    def start(self) -> None:
        prepare = partial(die_with_parent, os.getpid(), signal.SIGTERM)
        self.process = subprocess.Popen(  # noqa: S603 - our own commands
            self.command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=prepare,
        )
        self.on_start()

    def exit_words(self) -> str:
        """How it ended, for a sentence: "ended with code 1", "was killed by SIGKILL"."""
        code = self.process.poll() if self.process else None
        if code is not None and code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"ended with code {code}"

    def has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def stop(self, deadline: float) -> None:
        """Ask the main process to end, wait until DEADLINE (monotonic), then kill whatever is left of its group."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(max(0.1, deadline - time.monotonic()))
        with suppress(ProcessLookupError, PermissionError):  # nobody is left (the latter on macOS)
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Supervisor:
    """Runs parts in the order they are started and stops them in the order of STOP_ORDER (names)."""

    def __init__(self, say: Say, stop_order: Iterable[str]) -> None:
        self.say = say
        self.stop_order = list(stop_order)
        self.parts: dict[str, Part] = {}
        self.is_stop_asked = False

    def catch_signals(self) -> None:
        """From now on Ctrl-C, SIGTERM and SIGHUP are remembered and looked at between steps.

        Set explicitly: a job that a script starts with `&` inherits an ignored SIGINT.
        """
        for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sig, self._remember_stop)

    def _remember_stop(self, _signum: int, _frame: FrameType | None) -> None:
        self.is_stop_asked = True

    def start(self, part: Part, is_up: Callable[[], bool] = lambda: True, seconds: float = 60.0) -> None:
        """Start PART and wait until IS_UP; raises PartDied when it takes longer than SECONDS."""
        self.parts[part.name] = part
        part.start()
        deadline = time.monotonic() + seconds
        while not is_up():
            self.look()
            if time.monotonic() > deadline:
                raise PartDied(f"The {part.name} did not answer within {seconds:.0f} seconds.")
            time.sleep(LOOK_SECONDS / 2)

    def watch(self, changed: Callable[[], list[str]] = list) -> None:
        """Look after the parts until StopAsked or PartDied is raised; reload them when files have `changed` (paths)."""
        while True:
            self.look()
            if paths := changed():
                self._reload(paths)
            time.sleep(LOOK_SECONDS)

    def _reload(self, paths: list[str]) -> None:
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        self.say(f"{paths[0]}{more} changed; starting again.")
        for name in self.stop_order:
            part = self.parts.get(name)
            if part and part.is_reloaded and not self.is_stop_asked:
                part.stop(time.monotonic() + STOP_SECONDS)
                part.start()

    def look(self) -> None:
        """One look at everything: raises StopAsked or PartDied, restarts what may be restarted."""
        if self.is_stop_asked:
            raise StopAsked
        for part in self.parts.values():
            if part.process is None:  # waits for a change
                continue
            if part.has_ended():
                self._mend(part, f"The {part.name} {part.exit_words()}")
            elif not part.is_alive():
                part.stop(time.monotonic() + STOP_SECONDS)
                self._mend(part, f"The {part.name} gave no sign of life for a while")

    def _mend(self, part: Part, what: str) -> None:
        if part.is_reloaded:
            part.stop(time.monotonic())  # whatever it left behind
            part.process = None
            self.say(f"{what}; it starts again when a file changes.")
            return
        if not part.is_restarted:
            raise PartDied(f"{what}; without it the portal cannot go on.")
        now = time.monotonic()
        while part.restarts and part.restarts[0] <= now - PER_SECONDS:
            part.restarts.popleft()
        if len(part.restarts) >= MAX_RESTARTS:
            raise PartDied(f"{what}, the {MAX_RESTARTS + 1}th time within a minute; the portal stops.")
        part.restarts.append(now)
        part.stop(now)  # whatever it left behind
        part.on_mend(what)
        self.say(f"{what}; starting it again.")
        part.start()

    def stop(self) -> None:
        """Stop all parts within STOP_SECONDS, one after another: no new work comes in while the last is finished."""
        deadline = time.monotonic() + STOP_SECONDS
        for name in self.stop_order:
            if name in self.parts:
                self.parts[name].stop(deadline)


class Pulse:
    """Tells from a value that changes while a part lives whether it still does; by our own clock, so that neither
    other hosts' clocks nor a laptop's sleep matter."""

    def __init__(self, read: Callable[[], object], seconds: float = 120.0, every: float = 5.0) -> None:
        self.read = read
        self.seconds = seconds
        self.every = every
        self.restart()

    def restart(self) -> None:
        """Begin anew: the part was started just now."""
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
    """The command that runs ARGUMENTS with this very Python."""
    return [sys.executable, *arguments]
