"""Events, so that the code that records a fact needn't know what reacts to it.

An event is sent inside the sender's transaction; `apps.py` registers the listeners. Work that must succeed or fail
together with the fact, such as a charge, isn't a listener: the sender calls it directly.
"""

import logging
from collections.abc import Callable

from django.db import transaction

from runs.models import OutputFile, Run, StoredFile

logger = logging.getLogger(__name__)


class Event[**P]:
    """One kind of event. Listeners are called with the arguments of `send`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._listeners: list[Callable[P, object]] = []

    def listen(self, listener: Callable[P, object]) -> None:
        """Register `listener`; registering it again does nothing. Listeners are called in the order of registration."""
        if listener not in self._listeners:
            self._listeners.append(listener)

    def send(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Call every listener. If one fails, only its own work is rolled back, and the failure is logged."""
        for listener in self._listeners:
            try:
                with transaction.atomic():
                    listener(*args, **kwargs)
            except Exception:
                name = getattr(listener, "__qualname__", "?")
                logger.exception("event=%s: %s.%s failed", self._name, listener.__module__, name)


run_ended = Event[[Run]]("run_ended")  # a run has completed, failed or been cancelled
output_saved = Event[[OutputFile]]("output_saved")  # a result's file has been saved
file_inspected = Event[[StoredFile]]("file_inspected")  # a saved file's kind and small pictures are now known
