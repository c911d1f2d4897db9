"""django-q2's cluster without its holes: it dies whole, is never deaf, and stops at once inside a long task.

What plain `qcluster` does in these cases was measured: after `kill -9` of its main process or sentinel the rest goes
on as orphans; after `kill -9` of an idle worker that waits for the next task the queue's lock is lost with it and
nothing runs any more, silently; SIGTERM to the whole process group hangs it for ever; a plain SIGTERM waits for the
longest task. Here every process asks the kernel to die with its parent, the sentinel gives up the whole cluster where
a lock may be lost, a flag in shared memory tells long tasks to end, and a signal only raises that flag: what it asks
for is done between two looks at the sentinel, where nothing half-done can be in the way. Whoever started it starts it
again (`manage.py portal`, systemd's `Restart=always`): any exit that was not asked for has the code 3.
"""

import itertools
import logging
import os
import signal
import threading
import time
import uuid
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any, ClassVar

from django.db import DatabaseError
from django.utils import timezone
from django_q import cluster as django_q_cluster
from django_q.cluster import Cluster, Sentinel
from django_q.pusher import pusher

from runs.background import heartbeats, queue
from runs.background.prctl import die_with_parent
from runs.background.task_package import TaskPackage

logger = logging.getLogger(__name__)
BROKEN = 3  # the exit code that says: start me again
LOOK_SECONDS = 0.1
PULSE_SECONDS = 30.0
LEAVE_SECONDS = 15.0  # more than the end of the main process takes once the sentinel has gone


@dataclass(frozen=True)
class Pulse:
    """The task that each cluster runs for itself: its dotted path, and after how long it comes a second time."""

    task: str
    second_after_seconds: float


class WholeSentinel(Sentinel):  # type: ignore[misc]
    """Gives up the whole cluster when a process of its pool was killed while it may have held a queue's lock."""

    pulse: ClassVar[Pulse]  # set before the cluster starts: django-q2 makes the sentinel itself

    def reincarnate(self, process: Any) -> None:
        was_killed = process.exitcode is not None and process.exitcode < 0
        # Monitor and pusher wait inside their queue's lock or write into it; a busy worker holds none.
        is_worker = process is not self.monitor and process is not self.pusher
        is_busy = is_worker and process.timer.value >= 0
        if was_killed and not is_busy:
            logger.critical("A process of the worker was killed while it waited; the worker leaves to be started anew.")
            os._exit(BROKEN)
        super().reincarnate(process)

    def spawn_pusher(self) -> Any:
        broker = PulsingBroker(self.broker, os.getppid(), self.pulse)
        return self.spawn_process(pusher, self.task_queue, self.event_out, broker)


class PulsingBroker:
    """The broker as a cluster's pusher sees it: among the tasks for everybody comes one for this cluster alone.

    It goes the way of every task, so it shows that this cluster is not deaf, whatever others do. The first comes at
    once: what was interrupted when the last cluster died goes on as soon as this one is up. The second comes when the
    lease of a poller that died with another host has run out.
    """

    def __init__(self, broker: Any, cluster_pid: int, pulse: Pulse) -> None:
        self._broker = broker
        self._task = pulse.task
        self._worker = heartbeats.name_of(cluster_pid)
        self._pauses = itertools.chain([pulse.second_after_seconds], itertools.repeat(PULSE_SECONDS))
        self._due = time.monotonic()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)

    def dequeue(self) -> Any:
        if time.monotonic() < self._due:
            return self._broker.dequeue()
        self._due = time.monotonic() + next(self._pauses)
        options: dict[str, Any] = {"args": (self._worker,), "kwargs": {}, "started": timezone.now(), "save": False}
        task = {"id": uuid.uuid4().hex, "name": "own pulse", "func": self._task, **options}
        return [(None, TaskPackage.dumps(task))]


class WholeCluster(Cluster):  # type: ignore[misc]
    """One worker host: main process, sentinel, pusher, monitor and pool; alive together or not at all."""

    def run(self) -> int:
        """Work until asked to stop; returns the exit code, 0 only if a stop was asked for and went well."""
        self.start()
        self._watch_sentinel()
        while self.sentinel.is_alive() and not queue.stop_requested():
            time.sleep(LOOK_SECONDS)
        self.stop()  # does nothing when the sentinel has ended
        if not queue.stop_requested() or self.sentinel.exitcode != 0:
            return BROKEN
        with suppress(DatabaseError):  # then the next one forgets it, as that of one that was killed
            heartbeats.forget(heartbeats.name_of(self.pid))
        return 0

    def sig_handler(self, signum: int, frame: FrameType | None) -> None:
        """Raise the flag and nothing more: a handler may run in the middle of anything.

        A stop from in here asked for the sentinel's state in the middle of the same question, took it for alive when
        it had just ended, and waited for it for ever.
        """
        if os.getpid() != self.pid:  # a child that has not yet set its own handlers
            os._exit(BROKEN)
        queue.request_stop()
        if self.sentinel is None or self.sentinel.pid is None:
            os._exit(0)  # nothing is running yet

    def _watch_sentinel(self) -> None:
        """Start the watcher after the fork of the sentinel, since forking with threads is asking for trouble."""
        if hasattr(os, "waitid"):
            threading.Thread(target=_exit_with, args=(self.sentinel.pid,), daemon=True).start()


def _exit_with(sentinel_pid: int) -> None:
    """Wait for the sentinel's death without reaping it, and leave with it unless it ended by itself.

    It may die inside a lock that `stop` needs: then only this thread gets us out. However it ended, and whoever saw
    it first, the main thread has nothing left to wait for and gets some seconds for it.
    """
    try:
        end = os.waitid(os.P_PID, sentinel_pid, os.WEXITED | os.WNOWAIT)
    except ChildProcessError:
        end = None  # the main thread has seen it end
    if end is not None and (end.si_code != os.CLD_EXITED or end.si_status != 0):
        os._exit(BROKEN)
    time.sleep(LEAVE_SECONDS)
    os._exit(BROKEN)


def run_worker(pulse: Pulse) -> int:
    """Run the cluster in this process until it is stopped; returns the exit code."""
    WholeSentinel.pulse = pulse
    parents: deque[int] = deque(maxlen=1)
    os.register_at_fork(
        before=lambda: parents.append(os.getpid()),
        after_in_child=lambda: die_with_parent(parents[-1], signal.SIGKILL),
    )
    django_q_cluster.Sentinel = WholeSentinel
    return WholeCluster().run()
