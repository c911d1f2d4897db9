"""A portal for quick tests: short pauses, high limits, and a worker that never waits."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from django.test import override_settings
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import OrmQ

from runs import tasks
from runs.background import broker
from runs.engine import polling
from runs.lamina.client import LaminaClient
from runs.lamina.transport import Timeouts
from runs.models import OutputFile, RequestWindow, Run
from runs.storage import guard
from tests.support.processes import TIMEOUT_SECONDS
from tests.support.sandbox_door import SandboxDoor

KEY = "lma_hostile7Zq_must_stay_on_the_server"
IMPATIENT = 0.15  # seconds that an impatient portal waits for a response
DELAY = 600.0  # longer than any test takes; tests end the delay themselves
MOVES = ("file", "upload_put")  # the endpoints for receiving and sending files


@contextmanager
def quick_portal(door: SandboxDoor, **more: object) -> Iterator[None]:
    """Connect the portal to the sandbox behind `door` with a key that must stay secret, and remove all pauses."""
    door.control("keys", accepted=[KEY])
    door.control("limit", per_minute=None)
    with (
        override_settings(
            LAMINA_BASE_URL=door.url,
            TRUSTED_FILE_ORIGINS=[door.url],
            LAMINA_API_KEY=KEY,
            LAMINA_REQUESTS_PER_MINUTE=1_000_000,
            LAMINA_POLL_SECONDS=0.02,
            **more,
        ),
        patch.object(polling, "WINDOW_SECONDS", 0.04),
        patch.object(polling, "BACK_OFF_MAX_SECONDS", 0.02),
    ):
        yield


@contextmanager
def impatience(endpoint: str) -> Iterator[None]:
    """Shorten the timeouts (usually 5 to 60 s) for calls to the delayed `endpoint`; other calls are unchanged."""
    call, short = LaminaClient._call, Timeouts(read=IMPATIENT, total=2 * IMPATIENT)

    def hurried(client: LaminaClient, name: str, *given: Any, **more: Any) -> Any:
        return call(client, name, *given, **(more | {"wait": short} if name == endpoint else more))

    with (
        patch.object(LaminaClient, "_call", hurried),
        patch.object(guard, "READ_SECONDS", IMPATIENT if endpoint in MOVES else guard.READ_SECONDS),
    ):
        yield


def hurry() -> None:
    """Make everything that is due later due now."""
    past = timezone.now() - timedelta(minutes=1)
    Run.objects.filter(status__in=("starting", "checking"), due_at__gt=past).update(due_at=past)
    Run.objects.filter(cancel_sent_at=None, cancel_asked_at__gt=past).update(cancel_asked_at=past)
    Run.objects.filter(cancel_answer="", cancel_sent_at__gt=past).update(cancel_sent_at=past)
    Run.objects.filter(missing_reads__gt=0).update(asked_at=past)
    Run.objects.exclude(rung_at=None).update(rung_at=None)
    OutputFile.objects.filter(status="saving").update(due_at=past, claimed_until=None)
    RequestWindow.objects.update(closed_until=0)


def work_until(done: Callable[[], bool], seconds: float = TIMEOUT_SECONDS) -> None:
    """Run queued tasks and the sweep, skipping every wait, until `done` returns True; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"never done: {list(Run.objects.values_list('status', 'wait'))}"
        step()
        if Run.objects.needing_poller().exists():
            polling.poll_window()
        hurry()
        tasks.sweep()


def step(rounds: int = 60) -> list[str]:
    """Run up to `rounds` queued tasks, but not the poller; return their names."""
    done: list[str] = []
    for _ in range(rounds):
        queued = OrmQ.objects.order_by("pk").first()
        if queued is None:
            break
        task = broker.unpack(queued.payload)
        queued.delete()
        if task["func"] != "runs.tasks.poll":
            import_string(task["func"])(*task["args"], **task["kwargs"])
            done.append(task["func"].rpartition(".")[2])
    return done


def step_to(name: str) -> None:
    """Run queued tasks up to and including the first one called `name`."""
    while (done := step(1)) != [name]:
        assert done, f"no {name} was queued"


def is_at_rest() -> bool:
    """Return whether every run has ended and every file has been saved or given up on."""
    active = Run.objects.filter(status__in=("starting", "checking", "queued", "running"))
    return not active.exists() and not OutputFile.objects.filter(status="saving").exists()
