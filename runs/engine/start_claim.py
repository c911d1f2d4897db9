"""A worker's claim on the start that it is sending, so that no other worker sends that start at the same time."""

import threading
from datetime import timedelta

from django.db import DatabaseError, connection
from django.utils import timezone

from runs.models import Run

CLAIM = timedelta(seconds=30)  # if its worker dies, a start waits this long for another worker
RENEW_SECONDS = 8.0


class ClaimKeeper:
    """A thread that renews the claim on a start while its worker is alive, even if files are large or responses slow.

    The first renewal is after 8 seconds, so most starts need none.
    """

    def __init__(self, run: Run) -> None:
        self.run_id, self.until = run.pk, run.due_at
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        self.thread.join()

    def _keep(self) -> None:
        while not self.is_over.wait(RENEW_SECONDS):
            try:
                if not self._renew():
                    break
            except DatabaseError:
                continue  # the claim lasts long enough for another try
            finally:
                connection.close()

    def _renew(self) -> bool:
        """Extend the claim; return False if `due_at` was changed elsewhere, which means that the start is settled or
        has to wait."""
        until = timezone.now() + CLAIM
        mine = Run.objects.filter(pk=self.run_id, status="starting", due_at=self.until)
        if not mine.update(due_at=until):
            return False
        self.until = until
        return True
