"""django-q2's brokers, but they store tasks as signed JSON, and also hand out the worker's own pulse.

django-q2 signs pickles. `enqueue` gets one that this process has just made, and stores the task in it as JSON.
`dequeue` reads JSON, and makes a pickle for this process. So nothing that was stored is ever unpickled, and write
access to the queue alone isn't enough to run anything. (Results and statistics stay pickles; they are never run.)
"""

import logging
import time
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core import signing
from django.utils import timezone
from django_q.brokers import Broker
from django_q.brokers.orm import ORM
from django_q.signing import SignedPackage

SALT = "runs.task"
logger = logging.getLogger(__name__)


@dataclass
class Pulse:
    """A task that the worker called `worker` hands only to itself, at once and then every `every_seconds`.

    It is run like any other task, so it proves that the worker still runs tasks.
    """

    task: str
    worker: str
    every_seconds: float
    due_at: float = 0.0  # on the monotonic clock

    def next_task(self) -> dict[str, Any] | None:
        """Return the task if it is due."""
        if time.monotonic() < self.due_at:
            return None
        self.due_at = time.monotonic() + self.every_seconds
        task = {"id": uuid.uuid4().hex, "name": "own pulse", "func": self.task, "args": (self.worker,)}
        return task | {"kwargs": {}, "started": timezone.now(), "save": False}


own_pulse: Pulse | None = None  # `manage.py worker` sets it before it starts its processes


def pack(task: dict[str, Any]) -> str:
    """Return `task` as signed JSON. Raises `TypeError` if an argument is neither text nor a number."""
    return signing.dumps(task | {"started": task["started"].isoformat()}, salt=SALT)


def unpack(stored: str | bytes) -> dict[str, Any]:
    """Return the task in `stored`. Raises `signing.BadSignature` if it wasn't signed with `SECRET_KEY` or one of
    `SECRET_KEY_FALLBACKS`."""
    try:
        task: dict[str, Any] = signing.loads(stored.decode() if isinstance(stored, bytes) else stored, salt=SALT)
    except ValueError as error:
        raise signing.BadSignature("not JSON") from error
    return task | {"args": tuple(task["args"]), "started": datetime.fromisoformat(task["started"])}


class SignedJson(Broker):  # type: ignore[misc]
    """What our brokers add to django-q2's."""

    def enqueue(self, package: str) -> Any:
        return super().enqueue(pack(SignedPackage.loads(package)))

    def dequeue(self) -> list[tuple[Any, str]]:
        if own_pulse and (pulse := own_pulse.next_task()):
            return [(None, SignedPackage.dumps(pulse))]
        packages = []
        for ack_id, stored in super().dequeue() or ():
            try:
                packages.append((ack_id, SignedPackage.dumps(unpack(stored))))
            except signing.BadSignature:  # the sweep finds all work that is due
                logger.error("Dropped a queued task made by another version or with another key.")
                self.fail(ack_id)
        return packages


class OrmBroker(SignedJson, ORM):  # type: ignore[misc]
    """Tasks in the database."""
