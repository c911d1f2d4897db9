"""Work that waits in the database until a worker does it: files to fetch, copies to make, messages to send.

A row says what is due, and when. A task only says "look now", so it does no harm if a task is lost, repeated or late:
the sweep queues one for all work that is due. At most a few workers at a time do each kind of work, so that a video or
a slow mail server never takes the workers that starts need. They hold a *slot*, which is a lease: if a worker dies,
another one can go on within a minute.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from runs.background import leases
from runs.background.queue import enqueue_long, stop_requested
from runs.background.seats import long_seat

CLAIM = timedelta(seconds=60)  # how long one worker may go without renewing its claim on a row
CLAIM_TRIES = 20  # how many rows to try, if other workers are claiming them at the same moment
RENEW_SECONDS = 15.0
SLOT_SECONDS = 60.0
WINDOW_SECONDS = 240.0  # another task then goes on, so that no task runs forever
TASK_SECONDS = 900  # the timeout of tasks: the window, and the longest time that one row may take


class ClaimLost(Exception):
    """Raised when another worker has taken over this work, or this worker must stop; the caller must leave everything
    as it is."""


class NotNow(Exception):
    """Raised by `DueWork.do` if nothing of this kind can be done for a while, such as while the mail server is away."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


class Renewer:
    """Renews a claim while bytes arrive: pass it on as `on_chunk`. Raises `ClaimLost` when the claim is lost or the
    worker should stop."""

    def __init__(self, renew: Callable[[], int | bool]) -> None:
        self._renew = renew
        self._next = time.monotonic() + RENEW_SECONDS

    def __call__(self, _size: int) -> None:
        self.look()

    def look(self) -> None:
        """Renew the claim if it's due."""
        if stop_requested():
            raise ClaimLost
        if time.monotonic() >= self._next:
            self.renew()

    def renew(self) -> None:
        """Renew the claim now."""
        self._next = time.monotonic() + RENEW_SECONDS
        if not self._renew():
            raise ClaimLost


def wake(task: str) -> None:
    """Queue `task`, because something has just become due."""
    enqueue_long(task, timeout_seconds=TASK_SECONDS, is_saved=False)


@dataclass(frozen=True)
class Slot:
    """Permission to do one kind of work, for `seconds` at a time."""

    name: str
    holder: str
    seconds: float

    def is_kept(self) -> bool:
        """Renew the slot; return False if the worker must stop or another worker has the slot."""
        return not stop_requested() and leases.renew(self.name, self.holder, self.seconds)

    def renewer(self, row: QuerySet[Any] | None = None) -> Renewer:
        """Return a renewer for this slot and for the claim on `row`, which must match the row while it is ours."""
        return Renewer(lambda: (row is None or row.update(claimed_until=Now() + CLAIM)) and self.is_kept())


@contextmanager
def held_slot(work: str, workers: int, seconds: float = SLOT_SECONDS) -> Iterator[Slot | None]:
    """Hold one of the slots for `work` during the block; yield None if as many `workers` have one already."""
    holder = leases.new_holder()
    with long_seat() as is_free:
        names = (f"{work}-{number}" for number in range(workers if is_free else 0))
        name = next((name for name in names if _take(name, holder, seconds)), None)
        try:
            yield Slot(name, holder, seconds) if name else None
        finally:
            if name:
                leases.release(name, holder)


def _take(name: str, holder: str, seconds: float) -> bool:
    """Take the slot `name` if it is free, or if the worker that has it was killed."""
    if leases.acquire(name, holder, seconds):
        return True
    leases.release_of_dead(name)
    return leases.acquire(name, holder, seconds)


@dataclass(frozen=True)
class DueWork[Row]:
    """One kind of work. `task` is the name of the function in `runs.tasks` that calls `run`."""

    task: str
    is_due: Callable[[], bool]
    claim: Callable[[], Row | None]  # takes the next row that is due, so that no other worker does it too
    do: Callable[[Row, Slot], None]  # does it, then settles the row or sets when to try again
    workers: int = 1  # how many may do this at the same time
    slot_seconds: float = SLOT_SECONDS

    def request(self) -> None:
        """Queue the task if anything is due. This takes one or two queries."""
        if self.is_due():
            wake(self.task)

    def run(self) -> None:
        """Do what is due until nothing is left, the window ends or the worker stops. Returns at once if enough workers
        are already doing this."""
        ends_at, pause = time.monotonic() + WINDOW_SECONDS, 0.0
        with self.slot() as slot:
            if slot is None:
                return
            try:
                while time.monotonic() < ends_at and slot.is_kept() and (row := self.claim()) is not None:
                    self.do(row, slot)
            except NotNow as error:
                pause = error.seconds
        if pause:
            leases.acquire(slot.name, leases.new_holder(), pause)  # so that nobody tries before the pause is over
        elif not stop_requested():
            self.request()  # the window has ended, or more has come while all slots were taken

    def slot(self) -> AbstractContextManager[Slot | None]:
        return held_slot(self.task, self.workers, self.slot_seconds)


def unclaimed() -> Q:
    """Return a condition for rows that no worker has claimed."""
    return Q(claimed_until=None) | Q(claimed_until__lt=Now())


def claim_first(
    rows: QuerySet[Any], due: QuerySet[Any], attempts: str, values: Callable[[int], dict[str, Any]]
) -> int | None:
    """Claim the first of `rows` that no other worker claims at the same moment, and return its primary key; None if
    there is none. `due` says without joins which rows may be claimed, so that PostgreSQL checks it again after waiting
    for another worker's claim.

    Counts the attempt in the column `attempts`, and sets `values(n)` for the nth attempt, such as when the next one is
    due: so a row that kills its worker waits longer each time, just as after any other failure.
    """
    for pk, number in rows.values_list("pk", attempts)[:CLAIM_TRIES]:
        mine = due.filter(pk=pk, **{attempts: number})
        if mine.update(**{attempts: F(attempts) + 1}, **values(number + 1)):
            return int(pk)
    return None


def back_off(pauses: Sequence[timedelta], attempts: int) -> timedelta:
    """Return how long to wait after the given number of failed attempts; the last of `pauses` repeats."""
    return pauses[min(attempts, len(pauses)) - 1]
