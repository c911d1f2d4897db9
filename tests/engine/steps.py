"""Single steps of a run's life, called as the worker calls them, and requests by other clients of Lamina."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import requests
from django.db import connection
from django.utils import timezone

from runs.background import leases
from runs.engine import create_run, poller_wakeups, polling, reconcile, submit
from runs.engine.create_run import LaunchRequest
from runs.engine.polling import Watch
from runs.models import App, Member, Run
from runs.schema_forms.answers import load_answers
from tests.support.cartoonify import known_app, press
from tests.support.sandbox_door import SandboxDoor

CARTOONIFY = "3f68debe-df0a-4fc9-bdd3-9d45a4160587"
CAPTION = "sandbox-caption"
KEY = {"x-api-key": "lma_sandbox"}
INPUTS: dict[str, dict[str, Any]] = {CARTOONIFY: {"Style": "Ghibli"}, CAPTION: {"Prompt": "a lake"}}


stepped_at: dict[int, datetime] = {}  # when this module began the latest step of each run


def hand_over(run: Run) -> Run:
    """Let one worker take the run and start it."""
    stepped_at[run.pk] = timezone.now()
    submit.submit_run(run.pk)
    run.refresh_from_db()
    return run


def look(run: Run) -> Run:
    """Make the run's next check due, and let one worker do it."""
    make_due(run)
    stepped_at[run.pk] = timezone.now()
    reconcile.check_run(run.pk)
    run.refresh_from_db()
    return run


def make_due(run: Run) -> None:
    """Make the run's next step due, as if time had passed."""
    Run.objects.filter(pk=run.pk, due_at__isnull=False).update(
        due_at=timezone.now() - timedelta(seconds=10), rung_at=None
    )
    run.refresh_from_db()


def waits(run: Run, seconds: float) -> bool:
    """Return whether the last step postponed the next one by `seconds`, however long the step took."""
    assert run.due_at is not None
    pause = timedelta(seconds=seconds)
    return stepped_at[run.pk] + pause <= run.due_at <= timezone.now() + pause


def seconds_ahead(run: Run) -> float:
    """Return the number of seconds from the start of the last step until the next one is due."""
    assert run.due_at is not None
    return (run.due_at - stepped_at[run.pk]).total_seconds()


def start_as_stranger(sandbox: SandboxDoor, app_id: str = CARTOONIFY, webhook: str = "") -> str:
    """Start a run as another client of the workspace; return the run's id."""
    url = f"{sandbox.url}/v1/apps/{app_id}/runs"
    query = {"webhook": webhook} if webhook else {}
    answer = requests.post(url, json={"inputs": INPUTS[app_id]}, params=query, headers=KEY, timeout=60)
    answer.raise_for_status()
    run_id: str = answer.json()["data"]["runId"]
    return run_id


def starts(sandbox: SandboxDoor) -> int:
    """Count the run-starting POSTs that reached the sandbox."""
    return len(sandbox.requests_to("run_start"))


def other_app(remote_id: str = CAPTION) -> App:
    """Return another of the sandbox's apps, which has a single text input."""
    return known_app(remote_id)


def press_words(member: Member, app: App) -> Run:
    """Press Run on an app with one text input."""
    assert app.schema is not None
    parameter = app.schema.parameters[0]
    handles = {name: parameter[name] for name in ("name", "key", "id", "type")}
    answer: Any = handles | {"value": "a lake", "is_default": False}
    return create_run.launch_run(
        member, LaunchRequest(app, app.schema, load_answers([answer]), [], create_run.new_form_token(member))
    )


def begin(act: Callable[[], Any]) -> threading.Thread:
    """Call `act` in its own thread, with its own database connection."""

    def go() -> None:
        try:
            act()
        finally:
            connection.close()

    thread = threading.Thread(target=go)
    thread.start()
    return thread


def at_once(count: int, act: Callable[[], Any]) -> None:
    """Call `act` in `count` threads that start together; return when all have ended."""
    gate = threading.Barrier(count)

    def go() -> None:
        gate.wait()
        act()

    for thread in [begin(go) for _ in range(count)]:
        thread.join()


def start(member: Member, app: App, sandbox: SandboxDoor, outcome: str = "never", **script: object) -> Run:
    """Start a run, and make it look as if Lamina had accepted it a minute ago; it hasn't been polled yet."""
    sandbox.control("script", appId=None, times=1, outcome=outcome, **script)
    run = press(member, app)
    submit.submit_run(run.pk)
    Run.objects.filter(pk=run.pk).update(started_at=timezone.now() - timedelta(minutes=1))  # old enough to be polled
    run.refresh_from_db()
    assert run.remote_id
    return run


def watch_once() -> float | None:
    holder = leases.new_holder()
    assert leases.acquire(poller_wakeups.POLLER, holder, polling.LEASE_SECONDS)
    try:
        return Watch(holder).round()
    finally:
        leases.release(poller_wakeups.POLLER, holder)
