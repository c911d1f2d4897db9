"""`python -m runs.management.restarts NAME CODE`: records that the worker NAME ended with CODE ("" if it hung)."""

import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import django
from django.db import DatabaseError

if TYPE_CHECKING:
    from runs.models.messages import Message


def record(name: str, exit_code: int | None) -> None:
    """Record the restart for the Health page."""
    from runs.background import heartbeats, incidents

    with suppress(DatabaseError):
        heartbeats.forget(name)
        incidents.record_incident("worker", restart_message(exit_code))


def restart_message(exit_code: int | None) -> "Message":
    """Return the message that says why the worker was restarted."""
    from runs.models.messages import Message

    if exit_code is None:
        return Message("worker_hung")
    if exit_code < 0:
        return Message("worker_signalled", {"signal": signal.Signals(-exit_code).name})
    return Message("worker_exited", {"exit_code": exit_code})


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lamina_portal.settings")
    django.setup()
    record(sys.argv[1], int(sys.argv[2]) if sys.argv[2] else None)
