"""Follow active runs live, each through its own stream from Lamina. This is part of the poller and runs under its
lease.

Each stream has a thread that only reads it and puts whatever arrives into one shared queue. The poller applies what is
in the queue, so nothing is written without the lease, and the threads never touch the database. If anything goes wrong
with a stream, it just ends, and the poller then looks for the run in Lamina's list.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from queue import Empty, SimpleQueue

from django.conf import settings
from django.db.models import Case, Q, Value, When
from django.utils import timezone

from runs.background.queue import stop_requested
from runs.connection import rate_limit
from runs.connection.lamina_api import lamina, note
from runs.connection.rate_limit import Priority, RateLimitWait
from runs.engine import progress, stream_refusals, webhooks
from runs.engine.polling_schedule import ON_SCREEN
from runs.lamina.call_observers import CallOutcome
from runs.lamina.errors import LaminaError, LaminaRateLimited, LaminaRejected
from runs.lamina.streams import RunStream
from runs.lamina.types import RunSnapshot
from runs.models import Run

logger = logging.getLogger("runs.streams")

REST_SECONDS = 60.0  # pause before the same run gets another stream
TEND_SECONDS = 0.5  # pause between checks for runs that need a stream
# When a stream opens, Lamina tells us the run's state at once. If nothing arrives for this long, we assume that a proxy
# is holding the data back.
FIRST_NEWS_SECONDS = 5.0
PROBES = 3  # open at most this many until one delivers something: enough to tell whether Lamina refuses streams
ALONE_SECONDS = 90.0  # how often to look up followed runs in the list too
# After Lamina refused a stream because of its limits, how long to wait before trying one more. During the poller's ten
# minutes, this doubles each time.
FEWER_SECONDS = 120.0
LEAVE_SECONDS = 0.5  # how long to wait for threads to end after their connections are shut down


@dataclass
class Followed:
    """A run and its stream. `has_news` says whether the stream has delivered anything. `alone_since` is when the stream
    was opened, or when the run was last looked up in the list (on the monotonic clock)."""

    run: Run
    stream: RunStream
    thread: threading.Thread
    alone_since: float
    has_news: bool = False


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """Something that a stream has delivered: the outcome of opening it, a state of the run, or None when the stream
    ends."""

    run_id: int
    stream: RunStream
    what: CallOutcome | RunSnapshot | None


class Streams:
    """The streams of one poller. Call all methods in the poller's own thread. `renew` renews the poller's lease, or
    raises an exception if it was lost."""

    def __init__(self, renew: Callable[[], None]) -> None:
        self._renew = renew
        self._open: dict[int, Followed] = {}
        self._events: SimpleQueue[StreamEvent] = SimpleQueue()
        self._again_at: dict[int, float] = {}
        self._tend_at = float("-inf")
        self._is_proven = False  # whether any stream has delivered anything
        self._allowed: int | None = None  # how many streams Lamina is known to allow; None: it never said "too many"
        self._allowed_until = float("-inf")
        self._fewer_seconds = FEWER_SECONDS

    def follows(self, run: Run) -> bool:
        """Return whether a stream reports on `run`: the stream has delivered something, or was only just opened."""
        followed = self._open.get(run.pk)
        return followed is not None and (
            followed.has_news or time.monotonic() - followed.stream.opened_at < FIRST_NEWS_SECONDS
        )

    def need_list(self) -> bool:
        """Return whether it is time to look up the followed runs in the list too, in case a stream has missed
        something."""
        return any(time.monotonic() - one.alone_since > ALONE_SECONDS for one in self._open.values())

    def record_listed(self, runs: Iterable[Run]) -> None:
        """Record that these runs were just looked up in the list."""
        for run in runs:
            if run.pk in self._open:
                self._open[run.pk].alone_since = time.monotonic()

    # --- What arrives -------------------------------------------------------------------------------------------------
    def wait(self, seconds: float) -> StreamEvent | None:
        """Return the next thing delivered by any stream, waiting up to `seconds`."""
        try:
            return self._events.get(timeout=seconds) if seconds > 0 else self._events.get_nowait()
        except Empty:
            return None

    def apply(self, event: StreamEvent) -> None:
        """Apply what a stream has delivered, unless we have since given up on the stream."""
        followed = self._open.get(event.run_id)
        if followed is None or followed.stream is not event.stream:
            return
        match event.what:
            case RunSnapshot() as snapshot:
                if not followed.has_news:
                    followed.has_news = True
                    self._record_allowed()
                    stream_refusals.forget()
                if not self._is_proven:
                    self._is_proven, self._tend_at = True, float("-inf")
                progress.apply_snapshot(followed.run, snapshot, timezone.now(), is_pushed=True)
            case CallOutcome(error=None) as answered:
                note(answered)
            case CallOutcome(error=error) as answered:
                # If a stream is refused, the key may still be valid; only a request for the run can tell.
                if not (isinstance(error, LaminaRejected) and error.is_key_refused):
                    note(answered)
                self._end(followed, error)
            case None:
                self._end(followed)

    def give_up(self, event: StreamEvent) -> None:
        """Close the stream that delivered this, because it couldn't be applied. The run is then followed through the
        list, which doesn't depend on what was lost."""
        followed = self._open.get(event.run_id)
        if followed is not None and followed.stream is event.stream:
            self._close([followed])

    def _end(self, followed: Followed, error: LaminaError | None = None) -> None:
        del self._open[followed.run.pk]
        if isinstance(error, LaminaRateLimited):
            self._record_too_many(error.retry_after)
        if followed.stream.end != "final":
            logger.info("run=%s stream=%s", followed.run.public_id, followed.stream.end)
        if not followed.has_news:
            stream_refusals.record(followed.run, error, self._renew)

    def _record_too_many(self, retry_after: float) -> None:
        """Stay within the number of streams that are open now. If several are refused at once, that is one refusal."""
        self._allowed = len(self._open)
        if time.monotonic() >= self._allowed_until:
            self._allowed_until = time.monotonic() + max(self._fewer_seconds, retry_after)
            self._fewer_seconds *= 2

    def _record_allowed(self) -> None:
        """Record that Lamina allows one more stream than it did, if so."""
        working = sum(followed.has_news for followed in self._open.values())
        if self._allowed is not None and working > self._allowed:
            self._allowed, self._fewer_seconds = working, FEWER_SECONDS

    # --- Opening and closing ------------------------------------------------------------------------------------------
    def tend(self, besides: Collection[int], *, is_due: bool = False) -> None:
        """Open streams for runs that need one, except for those in `besides`, and give up on streams that stay silent.
        Unless `is_due`, do nothing if the last call was less than half a second ago."""
        if not is_due and time.monotonic() < self._tend_at:
            return
        self._tend_at = time.monotonic() + TEND_SECONDS
        for followed in [one for one in self._open.values() if one.stream.is_stale]:
            if stop_requested():
                return
            followed.stream.close()
            self._end(followed)
        runs = self._runs_to_follow(timezone.now(), besides)
        try:
            for run in runs[: _spare(len(besides))] if runs else ():
                self._follow(run)
        except (RateLimitWait, LaminaError):
            return

    def _runs_to_follow(self, now: datetime, besides: Collection[int]) -> list[Run]:
        """Return the runs to open streams for: first those that someone has on screen, then the newest."""
        free = self._most - len(self._open)
        if free <= 0 or not stream_refusals.are_allowed(now):
            return []
        self._again_at = {pk: at for pk, at in self._again_at.items() if at > time.monotonic()}
        runs = Run.objects.at_lamina().filter(missing_reads=0)
        runs = runs.exclude(pk__in={*self._open, *self._again_at, *besides})
        is_on_screen = Q(opened_at__gt=now - ON_SCREEN)
        if webhooks.are_arriving(now):
            runs = runs.filter(is_on_screen)
        first = Case(When(is_on_screen, then=Value(0)), default=Value(1))
        return list(runs.order_by(first, "-created_at", "-pk")[:free])

    @property
    def _most(self) -> int:
        """The number of streams that may be open now."""
        most: int = settings.LAMINA_STREAMS
        if self._allowed is not None:
            most = min(most, self._allowed + (time.monotonic() >= self._allowed_until))
        return most if self._is_proven else min(PROBES, most)

    def _follow(self, run: Run) -> None:
        stream = lamina().follow_run(run.remote_id)
        self._again_at[run.pk] = time.monotonic() + REST_SECONDS
        thread = threading.Thread(target=self._read, args=(run.pk, stream), name=f"stream-{run.pk}", daemon=True)
        thread.start()
        self._open[run.pk] = Followed(run, stream, thread, alone_since=time.monotonic())

    def _read(self, run_id: int, stream: RunStream) -> None:
        """Read a stream to its end. Only this method runs in the stream's own thread."""
        try:
            for what in stream.events():
                self._events.put(StreamEvent(run_id, stream, what))
        finally:
            self._events.put(StreamEvent(run_id, stream, None))

    def keep(self, runs: Iterable[Run]) -> None:
        """Close all streams except those of `runs`."""
        pks = {run.pk for run in runs}
        self._close([one for pk, one in self._open.items() if pk not in pks])

    def close(self) -> None:
        """Close all streams, and give their threads a moment to finish."""
        given_up = list(self._open.values())
        self._close(given_up)
        until = time.monotonic() + LEAVE_SECONDS
        for followed in given_up:
            followed.thread.join(max(0.0, until - time.monotonic()))

    def _close(self, given_up: list[Followed]) -> None:
        for followed in given_up:
            followed.stream.close()
            del self._open[followed.run.pk]


def _spare(ended: int) -> int:
    """Return how many more streams the budget allows, after reserving requests for the starts that are waiting and for
    reading the results of `ended` runs."""
    waiting = Run.objects.active().filter(status="starting").count()
    return max(0, rate_limit.left(Priority.STREAM) - waiting - ended)
