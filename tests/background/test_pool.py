"""The pool starts processes when there is work and stops them when there is none; a process that was stopped isn't
mistaken for one that was killed."""

from multiprocessing import Event, Value
from types import SimpleNamespace

import pytest
from django_q.queues import Queue

from runs.background import pool


def process(timer: float, *, exitcode: int | None = None) -> SimpleNamespace:
    return SimpleNamespace(timer=Value("f", timer), exitcode=exitcode, is_alive=lambda: exitcode is None)


def queue_of(count: int) -> "Queue":
    tasks = Queue()
    for number in range(count):
        tasks.put(number)
    return tasks


BUSY, IDLE = 90.0, -1.0


@pytest.mark.parametrize(
    ("timers", "queued", "most", "wanted"),
    [
        ([], 0, 11, 1),  # there is always at least one process
        ([IDLE], 0, 11, 0),
        ([IDLE], 1, 11, 0),  # the idle process takes the task
        ([BUSY], 0, 11, 0),  # no tasks are waiting
        ([BUSY], 1, 11, 1),
        ([BUSY, IDLE], 4, 11, 3),
        ([BUSY] * 10, 5, 11, 1),
        ([BUSY] * 11, 5, 11, 0),
    ],
)
def test_it_grows_by_the_tasks_that_nobody_takes(timers: list[float], queued: int, most: int, wanted: int) -> None:
    assert pool.missing([process(timer) for timer in timers], queue_of(queued), most) == wanted


def test_a_process_that_has_left_is_not_counted() -> None:
    assert pool.missing([process(IDLE, exitcode=0)], queue_of(0), 11) == 1


def test_only_a_process_that_ended_without_a_task_has_left() -> None:
    assert pool.has_left(process(IDLE, exitcode=0))
    assert not pool.has_left(process(IDLE))  # still waiting for tasks
    assert not pool.has_left(process(IDLE, exitcode=-9))  # killed, perhaps while holding the queue's lock
    assert not pool.has_left(process(BUSY, exitcode=0))  # the task itself ended this process
    assert not pool.has_left(process(-2, exitcode=0))  # this process is due to be recycled


def test_a_process_leaves_after_a_silence_once_it_has_worked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "LEAVE_SECONDS", 0.01)
    patient = pool.PatientQueue(queue_of(1))
    assert patient.get() == 0
    assert patient.get() == pool.STOP


def test_waiting_looks_again_and_again_and_ends_with_the_event() -> None:
    event, looks = Event(), []

    def look() -> None:
        looks.append(1)
        if len(looks) == 3:
            event.set()

    assert pool.BusyWait(event, look).wait(60)
    assert len(looks) == 3
