"""Ask the picture process (`picture_process`) about a file, from any thread, with a time limit.

Each portal process starts its own picture processes when needed and keeps them for a while: starting one takes 0.15 s,
but creating a thumbnail only 0.05 s. Picture processes end when their portal process does, because that closes their
input.
"""

import atexit
import json
import logging
import math
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal, cast

from django.conf import settings

from runs.storage.ffmpeg import CopyFailed
from runs.storage.metadata import CannotStrip
from runs.storage.picture_slots import LARGE_BYTES, OnWait, picture_slot

logger = logging.getLogger("runs.pictures")

COMMAND = (sys.executable, "-m", "runs.storage.picture_process")
# The only environment variables passed to the process, so that it gets none of the portal's secrets
ENVIRONMENT = ("PATH", "LANG", "PYTHONPATH", "COVERAGE_PROCESS_CONFIG")
MEMORY_BYTES = 330 * 1024 * 1024  # available for one picture, out of the 400 MiB that the process may use
WORKER_SECONDS = 120.0  # enough for one file, including some waiting
IDLE_SECONDS = 10.0
LEAVE_SECONDS = 1.0
LOOK_SECONDS = 0.5
MAX_ANSWER_BYTES = 2_000_000
MAX_NUMBER = 2**31 - 1  # the largest number that fits in the database column

type Answer = tuple[dict[str, Any], dict[int, bytes]]
type End = Literal["seen", "broken", "too_many_points", "no_picture", "later"]


@dataclass(frozen=True)
class Look:
    """What inspecting one file found; `width` and `height` are those of the upright picture.

    `end` is "no_picture" if the file seems complete but thumbnails can never be made from it, and "later" if we don't
    know yet because there wasn't enough time or the process died.
    """

    end: End
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    has_picture: bool = True
    colour: str = ""
    small: Mapping[int, bytes] = field(default_factory=dict)  # WebP by width


LATER = Look("later")


class ProcessLost(Exception):
    """The process didn't answer: it couldn't be started, it ended, or the caller's time is up. `sig` is the signal that
    ended it, or 0."""

    def __init__(self, sig: int = 0) -> None:
        super().__init__(f"signal {sig}")
        self.sig = sig

    @property
    def is_over_limit(self) -> bool:
        """Return whether the file took too much time. If another signal ended the process, that may not be the file's
        fault."""
        return self.sig in (signal.SIGXCPU, signal.SIGALRM)


def look(
    path: Path,
    kind: str,
    reader: str,
    *,
    memory_bytes: int = 0,
    max_points: int = 0,
    timeout_seconds: float = WORKER_SECONDS,
    on_wait: OnWait = lambda: None,
) -> Look:
    """Have the picture process inspect the file at `path`; `kind` and `reader` come from the file's first bytes.

    `memory_bytes` is roughly the memory needed for decoding. Waits at most `timeout_seconds`, including the wait for a
    slot. While waiting, it calls `on_wait`, which may raise to stop. Raises nothing except what `on_wait` raises, no
    matter what the file contains.
    """
    if timeout_seconds <= 0:
        return LATER
    request = {
        "path": str(path.resolve()),
        "kind": kind,
        "reader": reader,
        "max_points": max_points,
        "is_tight": memory_bytes > MEMORY_BYTES,
    }
    ends_at = time.monotonic() + timeout_seconds
    is_large = memory_bytes > LARGE_BYTES
    with picture_slot(is_large=is_large, ends_at=ends_at, on_wait=on_wait) as is_ours:
        if not is_ours:
            return LATER
        try:
            answer, small = _ask(request, ends_at, on_wait, is_large=is_large)
        except ProcessLost as lost:
            return Look("no_picture") if lost.sig == signal.SIGXCPU else LATER
    return Look(
        end=answer["end"],
        width=_number(answer.get("width")),
        height=_number(answer.get("height")),
        duration_seconds=answer.get("duration_seconds"),
        has_picture=answer.get("has_picture", True),
        colour=answer.get("colour", ""),
        small=small,
    )


def copy_without_metadata(source: Path, target: Path, media_type: str, on_wait: OnWait) -> None:
    """Have the picture process copy the picture or sound at `source` to the new file `target` without its metadata.

    `media_type` comes from the file's first bytes. While waiting, it calls `on_wait`, which may raise to stop. Raises
    `CannotStrip` if a retry can't help, `CopyFailed`, OSError for disk problems, and `ProcessLost` if the process was
    ended by something else than its own time limit.
    """
    _copy({"path": str(source.resolve()), "kind": "copy", "media_type": media_type, "target": str(target)}, on_wait)


def demand_plain_ogg(copy: Path, on_wait: OnWait) -> None:
    """Have the picture process check a copy that ffmpeg made of an Ogg. Raises like `copy_without_metadata`."""
    _copy({"path": str(copy.resolve()), "kind": "ogg"}, on_wait)


def _copy(request: dict[str, Any], on_wait: OnWait) -> None:
    with picture_slot(is_large=False, ends_at=math.inf, on_wait=on_wait):
        try:
            answer, _ = _ask(request, math.inf, on_wait, is_large=False)
        except ProcessLost as lost:
            if lost.is_over_limit:
                raise CopyFailed(str(lost)) from None
            raise
    if answer["end"] == "impossible":
        raise CannotStrip
    if answer["end"] == "disk":
        raise OSError(answer["errno"], os.strerror(answer["errno"] or 0))
    if answer["end"] != "copied":
        raise CopyFailed(answer.get("reason", ""))


def _ask(request: dict[str, Any], ends_at: float, on_wait: OnWait, *, is_large: bool) -> Answer:
    """Send the request to a process and return its answer. Raises `ProcessLost`, or whatever `on_wait` raises."""
    try:
        helper = _idle.take()
    except OSError as error:
        logger.warning("could not start a picture process: %s", error)
        raise ProcessLost from None
    try:
        answer = helper.ask(request, ends_at, on_wait)
    except BaseException:
        helper.end()
        raise
    if is_large:
        helper.end()  # end it, because it has used a lot of memory
    else:
        _idle.give_back(helper)
    return answer


class _Helper:
    """One picture process, used by one thread at a time."""

    def __init__(self) -> None:
        self.idle_since = 0.0
        self._popen = subprocess.Popen(  # noqa: S603 - our own module, no shell
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=settings.BASE_DIR,
            env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
            process_group=0,  # so that ffmpeg is killed too, and Ctrl-C reaches only the caller
        )
        self._requests = cast(IO[bytes], self._popen.stdin)
        self._answers = cast(IO[bytes], self._popen.stdout)

    def ask(self, request: dict[str, Any], ends_at: float, on_wait: OnWait) -> Answer:
        """Return the answer to `request`. Raises `ProcessLost` or whatever `on_wait` raises; the process can't be used
        again after that."""
        try:
            self._requests.write(json.dumps(request).encode() + b"\n")
            self._requests.flush()
        except OSError:
            raise self._death() from None
        answer, small = self._read(ends_at, on_wait)
        if answer.get("reason"):
            logger.info("a file of kind %s: %s (%s)", request["kind"], answer["end"], answer["reason"])
        return answer, small

    def _read(self, ends_at: float, on_wait: OnWait) -> Answer:
        """Read one answer: a line of JSON, followed by the thumbnails."""
        data = b""
        while len(data) <= MAX_ANSWER_BYTES:
            try:
                if (answer := _parsed(data)) is not None:
                    return answer
            except (ValueError, KeyError, TypeError):
                break
            data += self._next_block(ends_at, on_wait)
        raise ProcessLost  # invalid output: treat the process as dead

    def _next_block(self, ends_at: float, on_wait: OnWait) -> bytes:
        poll = select.poll()
        poll.register(self._answers, select.POLLIN)
        while (left := ends_at - time.monotonic()) > 0:
            on_wait()
            if poll.poll(min(left, LOOK_SECONDS) * 1000):
                if block := os.read(self._answers.fileno(), 1 << 16):
                    return block
                raise self._death()
        raise ProcessLost

    def _death(self) -> ProcessLost:
        error = ProcessLost(max(0, -self._popen.wait()))
        logger.warning("the picture process died (%s)", error)
        return error

    def is_alive(self) -> bool:
        return self._popen.poll() is None

    def dismiss(self) -> None:
        """Let an idle process exit on its own; kill it if it doesn't."""
        with suppress(OSError):
            self._requests.close()
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(LEAVE_SECONDS)
        self.end()

    def end(self) -> None:
        """Kill the process and everything it started, and wait until their memory has been freed."""
        if self.is_alive():
            with suppress(ProcessLookupError):
                os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        for pipe in (self._requests, self._answers):
            with suppress(OSError):  # unsent input can't be flushed if the process is dead
                pipe.close()


def _parsed(data: bytes) -> Answer | None:
    """Parse an answer; return None if it isn't complete yet. Raises ValueError, KeyError or TypeError if it's
    invalid."""
    line, end, blob = data.partition(b"\n")
    answer: dict[str, Any] = json.loads(line) if end else {}
    if not end or len(blob) < sum(size for _, size in answer["small"]):
        return None
    small = {}
    for width, size in answer["small"]:
        small[width], blob = blob[:size], blob[size:]
    return answer, small


def _number(value: object) -> int | None:
    """Return `value` if it's a width or height that fits in the database column, otherwise None."""
    return value if isinstance(value, int) and 0 < value <= MAX_NUMBER else None


class _Idle:
    """A pool of idle processes. A thread ends the ones that haven't been used for a while."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._helpers: list[_Helper] = []
        self._is_watched = False

    def take(self) -> _Helper:
        """Return an idle process, or a new one."""
        with self._lock:
            while self._helpers:
                helper = self._helpers.pop()
                if helper.is_alive():
                    return helper
                helper.end()
        return _Helper()

    def give_back(self, helper: _Helper) -> None:
        helper.idle_since = time.monotonic()
        with self._lock:
            self._helpers.append(helper)
            is_watched, self._is_watched = self._is_watched, True
        if not is_watched:
            threading.Thread(target=self._watch, name="idle pictures", daemon=True).start()

    def _watch(self) -> None:
        while True:
            time.sleep(IDLE_SECONDS / 2)
            before = time.monotonic() - IDLE_SECONDS
            with self._lock:
                old = [helper for helper in self._helpers if helper.idle_since < before or not helper.is_alive()]
                self._helpers = [helper for helper in self._helpers if helper not in old]
                self._is_watched = bool(self._helpers)
                is_over = not self._helpers
            for helper in old:
                helper.dismiss()
            if is_over:
                return

    def end_all(self) -> None:
        with self._lock:
            helpers, self._helpers = self._helpers, []
        for helper in helpers:
            helper.dismiss()

    def forget(self) -> None:
        """In a forked child, forget all processes: they belong to the parent."""
        self.__init__()  # type: ignore[misc]


_idle = _Idle()
atexit.register(_idle.end_all)
os.register_at_fork(after_in_child=_idle.forget)
