"""Events: whoever records a fact tells everyone who wants to know.

The writer sends an event inside its own transaction and doesn't know the listeners; `apps.py` registers them. What must
succeed or fail together with the fact, such as a charge, isn't a listener: the writer calls it.
"""

import logging
from collections.abc import Callable

from django.db import transaction

from runs.models import OutputFile, Run, StoredFile

logger = logging.getLogger(__name__)


class Event[**P]:
    """One kind of event; listeners get its arguments."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._listeners: list[Callable[P, object]] = []

    def listen(self, listener: Callable[P, object]) -> None:
        """Call `listener` for each event from now on, in the order of registration; once, even if registered twice."""
        if listener not in self._listeners:
            self._listeners.append(listener)

    def send(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Tell every listener. If one fails, only its own work is undone and the failure logged."""
        for listener in self._listeners:
            try:
                with transaction.atomic():
                    listener(*args, **kwargs)
            except Exception:
                name = getattr(listener, "__qualname__", "?")
                logger.exception("event=%s: %s.%s failed", self._name, listener.__module__, name)


run_ended = Event[[Run]]("run_ended")  # it is completed, failed or cancelled now
output_saved = Event[[OutputFile]]("output_saved")  # a result's file is in the storage now
file_inspected = Event[[StoredFile]]("file_inspected")  # the kind and small pictures of a saved file are known now
