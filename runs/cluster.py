"""django-q2's cluster without its holes: it dies whole, is never deaf, and stops at once inside a long task.

What plain `qcluster` does in these cases was measured: after `kill -9` of its main process or sentinel the rest goes
on as orphans; after `kill -9` of an idle worker that waits for the next task the queue's lock is lost with it and
nothing runs any more, silently; SIGTERM to the whole process group hangs it for ever; a plain SIGTERM waits for the
longest task. Here every process asks the kernel to die with its parent, the sentinel gives up the whole cluster where
a lock may be lost, and a flag in shared memory tells long tasks to end. Whoever started it starts it again
(`manage.py portal`, systemd's `Restart=always`): any exit that was not asked for has the code 3.
"""

import logging
import os
import signal
import threading
from collections import deque
from types import FrameType
from typing import Any

from django_q import cluster as django_q_cluster
from django_q.cluster import Cluster, Sentinel

from runs import queue
from runs.prctl import die_with_parent

logger = logging.getLogger(__name__)
BROKEN = 3  # the exit code that says: start me again


class WholeSentinel(Sentinel):  # type: ignore[misc]
    """Gives up the whole cluster when a process of its pool was killed while it may have held a queue's lock."""

    def reincarnate(self, process: Any) -> None:
        was_killed = process.exitcode is not None and process.exitcode < 0
        # Monitor and pusher wait inside their queue's lock or write into it; a busy worker holds none.
        is_worker = process is not self.monitor and process is not self.pusher
        is_busy = is_worker and process.timer.value >= 0
        if was_killed and not is_busy:
            logger.critical("A process of the worker was killed while it waited; the worker leaves to be started anew.")
            os._exit(BROKEN)
        super().reincarnate(process)


class WholeCluster(Cluster):  # type: ignore[misc]
    """One worker host: main process, sentinel, pusher, monitor and pool; alive together or not at all."""

    def __init__(self) -> None:
        self._watcher: threading.Thread | None = None
        super().__init__()

    def run(self) -> int:
        """Work until asked to stop; returns the exit code, 0 only if a stop was asked for and went well."""
        self.start()
        self._watch_sentinel()
        self.sentinel.join()
        return 0 if queue.stop_requested() and self.sentinel.exitcode == 0 else BROKEN

    def sig_handler(self, signum: int, frame: FrameType | None) -> None:
        if os.getpid() != self.pid:  # a child that has not yet set its own handlers
            os._exit(BROKEN)
        queue.request_stop()
        if self.sentinel is None or self.sentinel.pid is None:
            os._exit(0)  # nothing is running yet
        # The sentinel may be dead, or die, inside a lock that stop() needs: then only the watcher gets us out.
        self._watch_sentinel()
        super().sig_handler(signum, frame)

    def _watch_sentinel(self) -> None:
        """Start the watcher once; after the fork of the sentinel, since forking with threads is asking for trouble."""
        if self._watcher is None and hasattr(os, "waitid"):
            self._watcher = threading.Thread(target=_exit_with, args=(self.sentinel.pid,), daemon=True)
            self._watcher.start()


def _exit_with(sentinel_pid: int) -> None:
    """Wait for the sentinel's death without reaping it, and leave with it unless it ended by itself."""
    try:
        end = os.waitid(os.P_PID, sentinel_pid, os.WEXITED | os.WNOWAIT)
    except ChildProcessError:
        return  # the main thread has seen it end
    if end is not None and (end.si_code != os.CLD_EXITED or end.si_status != 0):
        os._exit(BROKEN)


def run_worker() -> int:
    """Run the cluster in this process until it is stopped; returns the exit code."""
    parents: deque[int] = deque(maxlen=1)
    os.register_at_fork(
        before=lambda: parents.append(os.getpid()),
        after_in_child=lambda: die_with_parent(parents[-1], signal.SIGKILL),
    )
    django_q_cluster.Sentinel = WholeSentinel
    return WholeCluster().run()
