"""Runs django-q2's cluster, and ends it if it no longer runs tasks.

`kill -9` on one of a cluster's processes may leave a lock that nobody releases any more. No task runs then, but there's
no error either. So the broker hands out a pulse every few seconds, and django-q2's signal `post_execute`, sent for each
task that has ended, stamps the time in shared memory. If that time gets too old, or the sentinel (which watches the
other processes) has ended, this process exits with code 3, and whatever started it starts it again (`manage.py portal`,
systemd's `Restart=always`). The kernel kills every process whose parent has died, so that nothing is left.

A signal only sets a flag in shared memory, which tells long tasks to end; then the cluster is stopped.
"""

import logging
import os
import signal
import threading
import time
from collections import deque
from contextlib import suppress
from multiprocessing import Value
from typing import Any

from django.db import DatabaseError
from django_q.cluster import Cluster
from django_q.signals import post_execute

from runs.background import broker, cluster_names, heartbeats, queue, seats
from runs.background.prctl import die_with_parent

logger = logging.getLogger(__name__)
BROKEN = 3  # this exit code asks for a restart
LOOK_SECONDS = 0.1
PULSES_PER_SILENCE = 3


def run_worker(pulse: str, silent_seconds: float) -> int:
    """Run tasks until asked to stop; return the exit code, which is 0 only if the worker stopped cleanly.

    `pulse` is the dotted path of the task that the worker hands to itself, with its name. If no task ends for
    `silent_seconds` although there is a process for it, the worker is broken.
    """
    name = cluster_names.name_of(os.getpid())
    broker.own_pulse = broker.Pulse(pulse, name, silent_seconds / PULSES_PER_SILENCE)
    seats.open_for_tasks()
    last_end = _watch_tasks()
    _die_together()
    cluster = Cluster()
    for sig in (signal.SIGTERM, signal.SIGINT):  # the cluster's own handler could interrupt anything
        signal.signal(sig, lambda *_: queue.request_stop())
    cluster.start()
    is_stopping = False
    while cluster.sentinel.is_alive():
        if queue.stop_requested() and not is_stopping:
            # In a thread, because this waits forever if the sentinel is killed meanwhile
            threading.Thread(target=cluster.stop, daemon=True).start()
            is_stopping = True
        is_silent = time.monotonic() - last_end.value > silent_seconds
        if is_silent and not is_stopping and seats.is_any_free():
            logger.critical("No task has ended for %.0f seconds; the worker exits to be restarted.", silent_seconds)
            os._exit(BROKEN)
        time.sleep(LOOK_SECONDS)
    if not is_stopping or cluster.sentinel.exitcode != 0:
        return BROKEN
    with suppress(DatabaseError):  # if this fails, the next worker forgets this one, as it does one that was killed
        heartbeats.forget(name)
    return 0


def _watch_tasks() -> Any:
    """Return the time at which a task last ended, on the monotonic clock, in memory that the processes share."""
    last_end = Value("d", time.monotonic(), lock=False)

    def stamp(**_: Any) -> None:
        last_end.value = time.monotonic()

    post_execute.connect(stamp, weak=False)
    return last_end


def _die_together() -> None:
    """From now on, have the kernel kill each process that is forked when its parent dies."""
    parents: deque[int] = deque(maxlen=1)
    os.register_at_fork(
        before=lambda: parents.append(os.getpid()),
        after_in_child=lambda: die_with_parent(parents[-1], signal.SIGKILL),
    )
