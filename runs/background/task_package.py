"""Pack queued tasks as signed JSON, so that write access to the queue alone isn't enough to run anything.

django-q2 itself signs pickles, and still does so for its results, statistics and cache, but these are never run. Tasks
are never unpickled, even if they are signed with an old key.
"""

import logging
from datetime import datetime
from typing import Any

from django.core import signing
from django_q import models, pusher, tasks
from django_q.signing import SignedPackage

SALT = "runs.task"
logger = logging.getLogger(__name__)


class TaskPackage:
    """Replaces `django_q.signing.SignedPackage` for tasks: names, ids and times as JSON, signed with `SECRET_KEY`.

    Packages signed with one of `SECRET_KEY_FALLBACKS` are also accepted.
    """

    @staticmethod
    def dumps(task: dict[str, Any], compressed: bool = False) -> str:
        """Return `task` as signed text for the broker. Raises `TypeError` if an argument is neither text nor a
        number."""
        started = {"started": task["started"].isoformat()} if "started" in task else {}
        return signing.dumps(task | started, salt=SALT, compress=compressed)

    @staticmethod
    def loads(package: str | bytes) -> dict[str, Any]:
        """Return the task in `package`. Raises `signing.BadSignature` if we didn't sign it."""
        try:
            text = package.decode() if isinstance(package, bytes) else package
            task: dict[str, Any] = signing.loads(text, salt=SALT)
        except ValueError as error:
            raise signing.BadSignature("not JSON") from error
        if "started" in task:
            task["started"] = datetime.fromisoformat(task["started"])
        return task | {"args": tuple(task["args"])}


class QueuedOrCached(TaskPackage):
    """The package class for `django_q.tasks`. Unlike `TaskPackage`, it also reads django-q2's own results from the
    cache."""

    @staticmethod
    def loads(package: str | bytes) -> Any:
        try:
            return TaskPackage.loads(package)
        except signing.BadSignature:
            return SignedPackage.loads(package)


class OneLine(logging.Filter):
    """Logs only one line, without a traceback, when a task couldn't be read and was discarded. Discarding it does no
    harm: the sweep finds all work that is due."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, signing.BadSignature):
            record.exc_info, record.exc_text = None, None
            record.msg, record.args = "Dropped a queued task made by another version or with another key.", ()
        return True


def install() -> None:
    """Make django-q2 use these classes. Must be called in every process that queues or takes tasks."""
    tasks.SignedPackage = QueuedOrCached
    pusher.SignedPackage = models.SignedPackage = TaskPackage
    logging.getLogger("django-q").addFilter(OneLine())
