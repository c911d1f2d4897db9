"""What has happened: the seam between the writer of a fact and those who want to know of it.

The writer sends an event inside its own transaction and knows none of its listeners; `apps.py` registers them. What
must not fail apart from the fact itself, a charge say, is no listener but a direct call of the writer.
"""

import logging
from collections.abc import Callable

from django.db import transaction

from runs.models import OutputFile, Run, StoredFile

logger = logging.getLogger(__name__)


class Event[**P]:
    """One kind of event; its arguments are those of its listeners."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._listeners: list[Callable[P, object]] = []

    def listen(self, listener: Callable[P, object]) -> None:
        """Call `listener` for each event from now on, in the order of registration; twice registered, called once."""
        if listener not in self._listeners:
            self._listeners.append(listener)

    def send(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Tell every listener. One that fails is logged and undone alone: the fact stands, the others hear of it."""
        for listener in self._listeners:
            try:
                with transaction.atomic():
                    listener(*args, **kwargs)
            except Exception:
                name = getattr(listener, "__qualname__", "?")
                logger.exception("event=%s: %s.%s failed", self._name, listener.__module__, name)


run_ended = Event[[Run]]("run_ended")  # it is completed, failed or cancelled now
output_saved = Event[[OutputFile]]("output_saved")  # a result's file is in the storage now
file_inspected = Event[[StoredFile]]("file_inspected")  # of a file saved before: its kind, its small pictures
