"""Events keep the code that makes a change independent of the code that reacts to it.

Events are sent inside the sender's transaction; `apps.py` registers the listeners. Work that must succeed or fail
together with the change, such as charging, isn't left to listeners: the sender does it itself.
"""

import logging
from collections.abc import Callable

from django.db import transaction

from runs.models import (
    Comment,
    Decision,
    GuestLink,
    Incident,
    Member,
    Output,
    OutputFile,
    ReviewRequest,
    Run,
    StoredFile,
)

logger = logging.getLogger(__name__)


class Event[**P]:
    """A type of event. Listeners are called with the arguments passed to `send`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._listeners: list[Callable[P, object]] = []

    def listen(self, listener: Callable[P, object]) -> None:
        """Register `listener`, unless it is already registered. Listeners are called in the order they were
        registered."""
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
output_saved = Event[[OutputFile]]("output_saved")  # a file of a result has been saved
file_inspected = Event[[StoredFile]]("file_inspected")  # a saved file has been inspected (kind, thumbnails)
# An output was expected to be one result, but is a list of files: (the result of one file, those of the others)
list_arrived = Event[[Output, list[Output]]]("list_arrived")
# A result now has its text, or all its files have been saved or given up on.
content_changed = Event[[Output]]("content_changed")
version_made = Event[[Output, Output]]("version_made")  # the next version of a result is ready: (new, replaced)
run_shared = Event[[Run]]("run_shared")  # a run has been shared with the team
# A link now shows a result's next version instead of the result: (link, old, new)
version_shown = Event[[GuestLink, Output, Output]]("version_shown")
deciders_changed = Event[[GuestLink]]("deciders_changed")  # a link's guests can now decide, or no longer can
decision_made = Event[[Decision]]("decision_made")  # someone made, withdrew, undid or set aside a decision
review_asked = Event[[ReviewRequest]]("review_asked")  # someone asked for decisions, or sent a reminder
request_closed = Event[[ReviewRequest]]("request_closed")  # the person who asked, or an admin, closed a request
mentioned = Event[[Comment, Member]]("mentioned")  # a comment mentions a member whom it didn't mention before
comment_posted = Event[[Comment]]("comment_posted")  # someone commented or replied
# The author edited or removed a comment. Listeners also get its previous text.
comment_changed = Event[[Comment, str]]("comment_changed")
# Comments were carried over to a result of another run: (from, to)
comments_carried = Event[[Run, Run]]("comments_carried")
incident_recorded = Event[[Incident]]("incident_recorded")  # something happened that admins may want to know about
member_left = Event[[Member]]("member_left")  # an account was closed
