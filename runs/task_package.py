"""What a queued task looks like: signed JSON. Whoever can write into the queue but has no key can run nothing, and
whoever has an old key cannot have anything unpickled.

django-q2 itself signs pickles. Its results, statistics and cache stay as they are: they never come back as work.
"""

import logging
from datetime import datetime
from typing import Any

from django.core import signing
from django_q import models, pusher, tasks
from django_q.signing import SignedPackage

SALT = "runs.task"
logger = logging.getLogger("runs.queue")


class TaskPackage:
    """`django_q.signing.SignedPackage` for tasks: names, ids and times as JSON, signed with `SECRET_KEY`.

    A package signed with one of `SECRET_KEY_FALLBACKS` is read as well.
    """

    @staticmethod
    def dumps(task: dict[str, Any], compressed: bool = False) -> str:
        """The text for the broker. Raises `TypeError` when an argument is neither text nor number."""
        started = {"started": task["started"].isoformat()} if "started" in task else {}
        return signing.dumps(task | started, salt=SALT, compress=compressed)

    @staticmethod
    def loads(package: str | bytes) -> dict[str, Any]:
        """The task again. Raises `signing.BadSignature` for anything that was not made here."""
        try:
            text = package.decode() if isinstance(package, bytes) else package
            task: dict[str, Any] = signing.loads(text, salt=SALT)
        except ValueError as error:
            raise signing.BadSignature("not JSON") from error
        if "started" in task:
            task["started"] = datetime.fromisoformat(task["started"])
        return task | {"args": tuple(task["args"])}


class QueuedOrCached(TaskPackage):
    """For `django_q.tasks`, which also reads results that django-q2 itself has put into its cache."""

    @staticmethod
    def loads(package: str | bytes) -> Any:
        try:
            return TaskPackage.loads(package)
        except signing.BadSignature:
            return SignedPackage.loads(package)


class OneLine(logging.Filter):
    """A task that cannot be read is dropped with one line: the sweep finds whatever is due."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, signing.BadSignature):
            record.exc_info, record.exc_text = None, None
            record.msg, record.args = "A queued task was dropped: another version or another key made it.", ()
        return True


def install() -> None:
    """Have django-q2 write and read tasks this way, in every process that queues or takes them."""
    tasks.SignedPackage = QueuedOrCached
    pusher.SignedPackage = models.SignedPackage = TaskPackage
    logging.getLogger("django-q").addFilter(OneLine())
