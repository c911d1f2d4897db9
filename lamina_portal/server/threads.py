"""A thread pool for requests. Threads that are waiting for a slow client don't count towards its size."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

IDLE_SECONDS = 30.0


class Threads:
    """Runs jobs in `size` threads, like gunicorn's own pool.

    While threads are away (waiting for clients), up to `spare` other threads may take their place. When a thread is no
    longer needed, it calls `on_leave` and ends.
    """

    def __init__(self, size: int, spare: int, on_leave: Callable[[], None] = lambda: None) -> None:
        self.size, self.spare, self.on_leave = size, spare, on_leave
        self._jobs: deque[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]] = deque()
        self._all = self._idle = self._away = 0
        self._is_closed = False
        self._changed = threading.Condition()

    def submit(self, job: Callable[..., Any], *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        with self._changed:
            self._jobs.append((future, job, arguments))
            self._staff()
        return future

    def shutdown(self, wait: bool = False) -> None:
        """Make every thread end after its current job. Doesn't wait for them, even if `wait` is set."""
        with self._changed:
            self._is_closed = True
            self._jobs.clear()
            self._changed.notify_all()

    @contextmanager
    def away(self) -> Iterator[bool]:
        """Count the thread as away while it waits for a client; yield False if no other thread can take its place."""
        with self._changed:
            self._away += 1
            is_replaced = self._away <= self.spare
            self._staff()
        try:
            yield is_replaced
        finally:
            with self._changed:
                self._away -= 1

    def _staff(self) -> None:
        """Wake or start a thread if a job is waiting. Call with the lock held."""
        if len(self._jobs) > self._idle and not self._is_above(self._all + 1):
            self._all += 1
            threading.Thread(target=self._work, daemon=True).start()
        elif self._jobs:
            self._changed.notify()

    def _is_above(self, count: int) -> bool:
        return count > self.size + min(self._away, self.spare)

    def _work(self) -> None:
        while taken := self._next():
            future, job, arguments = taken
            try:
                future.set_result(job(*arguments))
            except BaseException as error:  # noqa: BLE001 - the future carries it
                future.set_exception(error)
            del taken, future, job, arguments  # an idle thread mustn't keep a request in memory
        self.on_leave()

    def _next(self) -> tuple[Future[Any], Callable[..., Any], tuple[Any, ...]] | None:
        """Return the next job; None if this thread should end.

        A thread should end if the pool is closed, or if there are more threads than needed and it has been idle for a
        while.
        """
        with self._changed:
            while not self._jobs:
                self._idle += 1
                was_woken = self._changed.wait(IDLE_SECONDS)
                self._idle -= 1
                if self._is_closed or (not was_woken and not self._jobs and self._is_above(self._all)):
                    self._all -= 1
                    return None
            return self._jobs.popleft()
