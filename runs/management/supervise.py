"""What `manage.py portal` does once all is prepared: it starts the sandbox, the worker and the web server, and watches
them.

It has loaded the portal, and forks, so that the parts share this memory, as gunicorn's processes do with `preload_app`.
Each part has its own session, so that Ctrl-C reaches only this process, which stops the parts in order. If it is
killed, the kernel sends each part SIGTERM.
"""

import http.client
import multiprocessing
import os
import runpy
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.context import ForkProcess
from pathlib import Path
from urllib.parse import urlsplit

from setproctitle import setproctitle

from runs.background.prctl import die_with_parent

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LOOK_SECONDS, START_SECONDS, STOP_SECONDS = 0.2, 60.0, 20.0
MAX_RESTARTS, PER_SECONDS = 5, 60.0
# What `--reload` watches. Static files don't count: they are served as they are.
SOURCES = ("lamina_portal", "runs", "templates", "gunicorn.conf.py", "requirements.txt", ".env")
SOURCE_ENDINGS = (".py", ".html")


class PartDied(Exception):
    """A part that must keep running has ended; str() is the message for the terminal."""


class StopAsked(Exception):
    """Ctrl-C, SIGTERM or SIGHUP was received."""


@dataclass
class Part:
    """One process of the portal, `python -m module arguments`.

    It is up when `url` answers. If it ends, it is started again if `is_restarted`; otherwise, all stops.
    """

    name: str
    module: str
    arguments: list[str]
    url: str = ""
    is_restarted: bool = False
    is_forked: bool = True  # otherwise, it is a new program, which loads the source as it is now
    is_reloaded: bool = False  # stays down until a file changes if it ends, because nothing else would help
    process: ForkProcess | None = None
    restarts: list[float] = field(default_factory=list)

    def start(self) -> None:
        self.process = multiprocessing.get_context("fork").Process(target=self._run, args=(os.getpid(),))
        self.process.start()

    def _run(self, parent_pid: int) -> None:
        os.setsid()
        setproctitle(f"portal: {self.name}")  # gunicorn and django-q2 then say more
        die_with_parent(parent_pid, signal.SIGTERM)
        for sig in SIGNALS:
            signal.signal(sig, signal.SIG_DFL)
        if not self.is_forked:
            os.execv(sys.executable, [sys.executable, "-m", self.module, *self.arguments])  # noqa: S606 - our own
        sys.argv = [self.module, *self.arguments]
        runpy.run_module(self.module, run_name="__main__", alter_sys=True)

    def stop(self, deadline: float) -> None:
        """Ask the main process to end, wait until `deadline` (monotonic), then kill what is left of its group."""
        if self.process is None or self.process.pid is None:
            return
        self.process.terminate()
        self.process.join(max(0.1, deadline - time.monotonic()))
        with suppress(ProcessLookupError, PermissionError):  # nothing is left (macOS raises PermissionError)
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.join()

    def restart(self, what: str) -> None:
        """Start the part again after its end, unless that has happened too often. `what` has happened to it."""
        now = time.monotonic()
        self.restarts = [at for at in self.restarts if at > now - PER_SECONDS]
        if len(self.restarts) >= MAX_RESTARTS:
            raise PartDied(f"{what}, the {MAX_RESTARTS + 1}th time within a minute; the portal stops.")
        self.restarts.append(now)
        say(f"{what}; restarting it.")
        self.start()


class Supervisor:
    """Starts `parts` in their order, and stops them in the opposite one, so that no new work arrives meanwhile."""

    def __init__(self, parts: list[Part]) -> None:
        self.parts = parts
        self.is_stop_asked = False

    def ask_to_stop(self, *_: object) -> None:
        """Handle a signal: remember it, and check for it between steps."""
        self.is_stop_asked = True

    def start(self) -> None:
        for part in self.parts:
            part.start()
            deadline = time.monotonic() + START_SECONDS
            while part.url and not answers(part.url):
                self.look()
                if time.monotonic() > deadline:
                    raise PartDied(f"The {part.name} did not respond within {START_SECONDS:.0f} seconds.")
                time.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """Check all parts once: restart those that may be restarted, or raise StopAsked or PartDied."""
        if self.is_stop_asked:
            raise StopAsked
        for part in self.parts:
            if part.process is None or (code := part.process.exitcode) is None:
                continue
            part.stop(time.monotonic())  # kill the processes that it left behind
            how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
            what = f"The {part.name} {how}"
            if part.is_reloaded:
                part.process = None
                say(f"{what}; it restarts when a file changes.")
            elif part.is_restarted:
                part.restart(what)
            else:
                raise PartDied(f"{what}; the portal cannot run without it.")

    def reload(self, paths: list[str]) -> None:
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        say(f"{paths[0]}{more} changed; restarting.")
        for part in reversed(self.parts):
            if part.is_reloaded and not self.is_stop_asked:
                part.stop(time.monotonic() + STOP_SECONDS)
                part.start()

    def stop(self) -> None:
        """Stop all parts within STOP_SECONDS."""
        deadline = time.monotonic() + STOP_SECONDS
        for part in reversed(self.parts):
            part.stop(deadline)


def supervise(parts: list[Part], ready: str, *, is_reloaded: bool) -> int:
    """Run `parts` until asked to stop (return 0) or until an essential one dies (return 1); say `ready` when all are
    up."""
    supervisor = Supervisor(parts)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # if it were ignored, we wouldn't notice that a part has ended
    for sig in SIGNALS:  # must be explicit, because a job that a script starts with `&` ignores SIGINT
        signal.signal(sig, supervisor.ask_to_stop)
    seen = source_times()  # before any part reads the files
    try:
        supervisor.start()
        say(ready)
        for part in parts:  # not before: if a part fails when it first starts, somebody has to fix it
            part.is_reloaded = is_reloaded and part.name != "sandbox"
        while True:
            supervisor.look()
            if is_reloaded and (paths := sorted(dict(seen.items() ^ (now := source_times()).items()))):
                seen = now
                supervisor.reload(paths)
            time.sleep(LOOK_SECONDS)
    except StopAsked:
        say("Stopping once work in progress is finished.")
        return 0
    except PartDied as died:
        sys.stderr.write(f"{died}\n")
        return 1
    finally:
        supervisor.stop()


def source_times() -> dict[str, int]:
    """Return the modification time of each source file in nanoseconds."""
    times = {}
    for name in SOURCES:
        for path in Path(name).rglob("*") if Path(name).is_dir() else [Path(name)]:
            if path.suffix in SOURCE_ENDINGS or path.name == name:
                with suppress(FileNotFoundError):  # an editor is replacing it right now
                    times[str(path)] = path.stat().st_mtime_ns
    return times


def answers(url: str) -> bool:
    """Return whether a web server responds to a GET request for `url`, with any status."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=5)
    try:
        connection.request("GET", address.path)
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def say(sentence: str) -> None:
    with suppress(OSError):  # keep going even if the terminal has been closed or the disk is full
        sys.stdout.write(f"{sentence}\n")
        sys.stdout.flush()
