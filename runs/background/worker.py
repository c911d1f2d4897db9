"""A more robust django-q2 cluster. Its processes live and die together, keep taking tasks, and stop promptly.

Plain `qcluster` has these problems: after `kill -9` on its main process or sentinel, the other processes keep running
as orphans. After `kill -9` on an idle worker, the queue's lock is never released, so no more tasks run, but there's no
error either. SIGTERM to the process group makes it hang forever; SIGTERM to just the main process makes it wait for the
longest task.

Here, every process asks the kernel to kill it when its parent dies. The sentinel ends the whole cluster if a lock may
have been lost. A flag in shared memory tells long-running tasks to stop. Signals only set that flag; the main loop
stops the cluster when that is safe. Any unexpected exit has code 3, so that whatever started the cluster restarts it
(`manage.py portal`, systemd's `Restart=always`).
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
from multiprocessing import Value
from types import FrameType
from typing import Any, ClassVar

from django.db import DatabaseError, connections
from django.utils import timezone
from django_q import cluster as django_q_cluster
from django_q.cluster import Cluster, Sentinel
from django_q.pusher import pusher
from django_q.worker import worker

from runs.background import cluster_names, heartbeats, pool, queue
from runs.background.prctl import die_with_parent
from runs.background.task_package import TaskPackage

logger = logging.getLogger(__name__)
BROKEN = 3  # this exit code asks for a restart
LOOK_SECONDS = 0.1
PULSE_SECONDS = 30.0
LEAVE_SECONDS = 15.0  # longer than the main process needs to exit after the sentinel has ended


@dataclass(frozen=True)
class Pulse:
    """The task that each cluster queues for itself: its dotted path, and the number of seconds until it is queued
    for the second time."""

    task: str
    second_after_seconds: float


class WholeSentinel(Sentinel):  # type: ignore[misc]
    """A sentinel that ends the whole cluster if a process that was killed may have held a queue's lock. Starts pool
    processes only when there is work for them (see `pool`)."""

    pulse: ClassVar[Pulse]  # set before the cluster starts, because django-q2 creates the sentinel itself
    stop_event: Any

    def spawn_cluster(self) -> None:
        self.pool_size, self.most = 1, self.pool_size
        self.stop_event = pool.BusyWait(self.stop_event, self.fit_pool)
        super().spawn_cluster()

    def spawn_worker(self) -> None:
        tasks = pool.PatientQueue(self.task_queue)
        self.spawn_process(worker, tasks, self.result_queue, Value("f", pool.IDLE), self.timeout)

    def fit_pool(self) -> None:
        """Start processes for queued tasks, if there aren't enough idle processes to take them."""
        missing = pool.missing(self.pool, self.task_queue, self.most)
        if missing:
            connections.close_all()  # child processes mustn't inherit a connection
        for _ in range(missing):
            self.spawn_worker()

    def reincarnate(self, process: Any) -> None:
        if pool.has_left(process):
            self.pool.remove(process)
            return
        was_killed = process.exitcode is not None and process.exitcode < 0
        # The monitor and pusher hold their queue's lock while they wait or write; a busy worker holds no lock.
        is_worker = process is not self.monitor and process is not self.pusher
        is_busy = is_worker and process.timer.value >= 0
        if was_killed and not is_busy:
            logger.critical("A worker process was killed and may have held a lock; the worker exits to be restarted.")
            os._exit(BROKEN)
        super().reincarnate(process)

    def spawn_pusher(self) -> Any:
        broker = PulsingBroker(self.broker, os.getppid(), self.pulse)
        return self.spawn_process(pusher, self.task_queue, self.event_out, broker)


class PulsingBroker:
    """Wraps the broker that a cluster's pusher uses, and adds tasks for this cluster alone.

    The cluster handles these tasks like any others, so they prove that it's still taking tasks. The first one comes
    immediately, so that work left unfinished by the last cluster is resumed right away. By the time the second one
    comes, the lease of a poller that died along with another host will have expired.
    """

    def __init__(self, broker: Any, cluster_pid: int, pulse: Pulse) -> None:
        self._broker = broker
        self._task = pulse.task
        self._worker = cluster_names.name_of(cluster_pid)
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
    """The worker on one host: main process, sentinel, pusher, monitor and pool, which live and die together."""

    def run(self) -> int:
        """Run until asked to stop; return the exit code, which is 0 only if it stopped cleanly."""
        self.start()
        self._watch_sentinel()
        while self.sentinel.is_alive() and not queue.stop_requested():
            time.sleep(LOOK_SECONDS)
        self.stop()  # does nothing if the sentinel has ended
        if not queue.stop_requested() or self.sentinel.exitcode != 0:
            return BROKEN
        # If this fails, the next cluster forgets this one, just as it forgets a cluster that was killed.
        with suppress(DatabaseError):
            heartbeats.forget(cluster_names.name_of(self.pid))
        return 0

    def sig_handler(self, signum: int, frame: FrameType | None) -> None:
        """Only set the stop flag, because a signal handler may interrupt anything.

        The handler used to stop the cluster itself. But once, it checked on the sentinel in the middle of another
        check, so the sentinel seemed alive even though it had just ended, and the cluster waited forever.
        """
        if os.getpid() != self.pid:  # a child that hasn't set its own handlers yet
            os._exit(BROKEN)
        queue.request_stop()
        if self.sentinel is None or self.sentinel.pid is None:
            os._exit(0)  # nothing is running yet

    def _watch_sentinel(self) -> None:
        """Start the watcher thread. Call this after forking the sentinel, because forking isn't safe when there are
        threads."""
        if hasattr(os, "waitid"):
            threading.Thread(target=_exit_with, args=(self.sentinel.pid,), daemon=True).start()


def _exit_with(sentinel_pid: int) -> None:
    """Wait until the sentinel ends (without reaping it); if it was killed, exit at once.

    A sentinel that was killed may have held a lock that `stop` needs, and then only this thread can end the process. If
    it ended normally, the main thread has nothing to wait for, and gets a few seconds to finish.
    """
    try:
        end = os.waitid(os.P_PID, sentinel_pid, os.WEXITED | os.WNOWAIT)
    except ChildProcessError:
        end = None  # the main thread has already noticed that the sentinel ended
    if end is not None and (end.si_code != os.CLD_EXITED or end.si_status != 0):
        os._exit(BROKEN)
    time.sleep(LEAVE_SECONDS)
    os._exit(BROKEN)


def run_worker(pulse: Pulse) -> int:
    """Run the cluster in this process until it is stopped; return the exit code."""
    WholeSentinel.pulse = pulse
    parents: deque[int] = deque(maxlen=1)
    os.register_at_fork(
        before=lambda: parents.append(os.getpid()),
        after_in_child=lambda: die_with_parent(parents[-1], signal.SIGKILL),
    )
    django_q_cluster.Sentinel = WholeSentinel
    return WholeCluster().run()
