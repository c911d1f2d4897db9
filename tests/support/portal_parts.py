"""Runs the portal's real processes on free ports: starts, kills and restarts them, and stops them all at the end."""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path

from runs.background.prctl import die_with_parent
from tests.support.processes import ROOT, Home, children_of, free_port, is_gone, wait_until

PER_MINUTE = 1_000_000  # so high that the limit never applies, because these tests are about kills
WATCH_SECONDS = 0.1
REVIVED_SECONDS = 180.0  # enough for the lease to expire and for a live worker's scheduler to check once


class Part:
    """One process and how to start it."""

    def __init__(self, name: str, home: Home, *arguments: str) -> None:
        self.name, self.home, self.arguments = name, home, arguments
        self.down_until = 0.0
        self.popen: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.home.log.open("ab") as log:
            self.popen = subprocess.Popen(
                [sys.executable, *self.arguments],
                cwd=ROOT,
                env=self.home.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=partial(die_with_parent, os.getpid(), signal.SIGTERM),
            )

    @property
    def pid(self) -> int:
        return self.popen.pid if self.popen else 0

    @property
    def is_up(self) -> bool:
        return self.popen is not None and self.popen.poll() is None


class Parts:
    """A sandbox, two web servers and two workers on one database. After `keep_alive`, each is restarted when it
    ends."""

    def __init__(self, folder: Path, **env: str) -> None:
        ports = [free_port() for _ in range(3)]
        self.sandbox_url = f"http://127.0.0.1:{ports[0]}"
        self.web_urls = [f"http://127.0.0.1:{port}" for port in ports[1:]]
        self.home = Home(
            folder,
            LAMINA_BASE_URL=self.sandbox_url,
            PORTAL_URL=self.web_urls[0],
            PORTAL_TESTING="1",
            LAMINA_REQUESTS_PER_MINUTE=str(PER_MINUTE),
            LAMINA_WEBHOOKS="off",
            WEB_CONCURRENCY="1",
            **env,
        )
        options = ("--seconds", "2", "--per-minute", str(PER_MINUTE), "--data", str(folder / "lamina"))
        command = ("-m", "runs.sandbox", "--port", str(ports[0]), "--test-cards", *options)
        self.sandbox = Part("sandbox", self.home, *command)
        config = ("-m", "gunicorn", "--log-level", "error")
        self.webs = [
            Part(f"web {n}", self.home, *config, "--bind", f"127.0.0.1:{port}", "lamina_portal.wsgi")
            for n, port in enumerate(ports[1:], start=1)
        ]
        self.workers = [Part(f"worker {n}", self.home, "manage.py", "worker") for n in (1, 2)]
        self.all = [self.sandbox, *self.webs, *self.workers]
        self.killed: Counter[str] = Counter()
        self.deaths = 0
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def start(self, *parts: Part) -> None:
        for part in parts:
            part.start()

    def keep_alive(self) -> None:
        """From now on, restart every part that ends."""
        self._watcher.start()

    def _watch(self) -> None:
        while not self._is_over.wait(WATCH_SECONDS):
            with self._lock:
                for part in self.all:
                    if not part.is_up and time.monotonic() >= part.down_until:
                        self.deaths += 1
                        part.start()

    def kill(self, kind: str, chance: random.Random, down_seconds: float) -> None:
        """`kill -9` one process of `kind`: "sandbox", "web", "web child", "worker", "worker child" or "poller".

        If none exists, waits for one, but no longer than the portal may take to replace a poller. If there is nothing
        to poll, kills a worker child instead of the poller.
        """
        killed = wait_until(lambda: self._kill_now(kind, chance, down_seconds), f"a {kind} to kill", REVIVED_SECONDS)
        self.killed[killed] += 1

    def _kill_now(self, kind: str, chance: random.Random, down_seconds: float) -> str:
        """Kill one process if possible; return its kind, or "" if there was none."""
        if kind == "poller" and not is_polling_needed():
            kind = "worker child"
        with self._lock:
            part = self.sandbox if kind == "sandbox" else chance.choice(self.webs if "web" in kind else self.workers)
            pid = self._victim(kind, part, chance)
            if not pid or is_gone(pid):
                return ""
            part.down_until = time.monotonic() + down_seconds
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                return kind
        return ""

    def _victim(self, kind: str, part: Part, chance: random.Random) -> int:
        if not part.is_up:
            return 0
        if kind == "poller":
            return polling_pid()
        if kind.endswith("child"):
            below = [pid for child in children_of(part.pid) for pid in (child, *children_of(child))]
            return chance.choice(below) if below else 0
        return part.pid

    def end_all(self) -> None:
        self._is_over.set()
        if self._watcher.is_alive():
            self._watcher.join()
        for part in self.all:
            if part.is_up:
                with suppress(ProcessLookupError):
                    os.killpg(part.pid, signal.SIGKILL)
        self.home.end_all()
        for part in self.all:
            if part.popen:
                part.popen.wait()
        shutil.rmtree(self.home.folder / "media", ignore_errors=True)


def polling_pid() -> int:
    """Return the id of the process that holds the poller's lease; 0 if none does."""
    from django.db.models.functions import Now

    from runs.models import Lease

    held = Lease.objects.filter(name="poller", until__gt=Now()).values_list("holder", flat=True).first()
    return int(held.split("/")[1]) if held else 0


def is_polling_needed() -> bool:
    from runs.models import Run

    return Run.objects.needing_poller().exists()
