"""The portal's only poller. It follows active runs: some live, through streams, and the rest by reading Lamina's run
list.

The poller is a django-q2 task that holds a database lease. Each task polls for one window, then hands over to the next
task. If no runs are active, the poller doesn't run and no requests are sent. The poller is woken when a run is started
or viewed, and by the worker's pulse (`poller_wakeups`). A stream takes a single request and reports everything about
one run (`streams`). Reading the list once per round covers all runs without a stream; requesting 20 runs one by one in
every round would exceed the limit of 100 requests a minute. The list is also the safety net for streams: every 90
seconds, it is read for all runs.
"""

import logging
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Q
from django.utils import timezone

from runs.background import heartbeats, leases
from runs.background.queue import stop_requested
from runs.connection.lamina_api import lamina
from runs.connection.rate_limit import Priority, RateLimitWait
from runs.engine import poller_wakeups, progress, sweep, webhooks
from runs.engine.polling_schedule import ON_SCREEN, SLOW_SECONDS, PollingSchedule, is_budget_short
from runs.engine.streams import Streams
from runs.lamina.errors import LaminaError, LaminaRateLimited, LaminaRejected, LaminaUnavailable
from runs.lamina.types import RunRow, RunRows
from runs.models import Run

logger = logging.getLogger("runs.polling")

WINDOW_SECONDS = 600.0  # the longest that Lamina keeps a stream open
OVERTIME_SECONDS = 15.0  # extra time for reads in the last round; the window plus this stays below the task's timeout
LEASE_SECONDS = 12.0  # longer than it may take to read the list, plus the time between renewals
SLICE_SECONDS = 0.25  # longest sleep before the stop flag is checked again
LIST_REFUSED_SECONDS = 50.0
PARTIAL_EVERY = timedelta(seconds=5)
PARTIALS_PER_ROUND = 3
BACK_OFF_MAX_SECONDS = 15.0
SILENT_RUNS = 2  # if this many runs in a row get no response, the problem isn't the run
PAGE = 100
PAGES = 10
WAITS_PER_PAGE = 3
LONGEST_WAIT_SECONDS = 2.0


def oldest_first(runs: Iterable[Run]) -> list[Run]:
    """Sort runs by start time, so that if reads have to wait, later runs don't delay earlier ones."""
    return sorted(runs, key=lambda run: run.started_at or run.created_at)


def _is_about_all(error: LaminaUnavailable | LaminaRejected) -> bool:
    """Return whether this error, from reading one run, would come for every other run too."""
    if isinstance(error, LaminaRejected):
        return error.status is None or error.is_key_refused
    return not error.was_connected


class LeaseLost(Exception):
    """Another poller has taken over; this one must not request or write anything more."""


def poll_window() -> None:
    """Poll until the window ends, nothing is active, the worker stops or the lease is lost."""
    watch = Watch(leases.new_holder())
    if not leases.acquire(poller_wakeups.POLLER, watch.holder, LEASE_SECONDS):
        return
    try:
        watch.run(until=time.monotonic() + WINDOW_SECONDS)
    except LeaseLost:
        logger.warning("another poller took over")
        return
    finally:
        watch.streams.close()
        leases.release(poller_wakeups.POLLER, watch.holder)
    if watch.had_work:  # otherwise, a page showing runs that don't need a poller would start one window after another
        leases.end_kick(poller_wakeups.POLLER)
    # Check this after releasing the lease, so that a run added after the last round doesn't have to wait for the
    # worker's pulse.
    if not stop_requested() and Run.objects.needing_poller().exists():
        poller_wakeups.queue_poller()


class Watch:
    """One polling window."""

    def __init__(self, holder: str) -> None:
        self.holder = holder
        self.ends_at = time.monotonic() + WINDOW_SECONDS
        self.renewed_at = float("-inf")
        self.failures = 0
        self.had_work = False
        self.list_refused_until = self.listed = self.looked_at = float("-inf")
        self.is_list_missing = False  # whether Lamina last responded "not found" to a request for the list
        self.streams = Streams(self._renew)
        self.schedule = PollingSchedule()
        self.again_at: dict[int, float] = {}
        self.unread: dict[int, Run] = {}  # runs that have ended but whose results we haven't read yet

    def run(self, until: float) -> None:
        """Poll in rounds until nothing is left to watch, or until `until` (on the monotonic clock)."""
        self.ends_at = until
        while time.monotonic() < until and not stop_requested():
            sleep = self._sleep
            try:
                pause, sleep = self.round(), self._rest
                self.failures = 0
            except RateLimitWait as wait:
                pause = min(wait.seconds, 5.0)
            except LaminaRateLimited as error:
                pause = min(error.retry_after, BACK_OFF_MAX_SECONDS)
            except LaminaError:
                pause = self._back_off()
            except DatabaseError:
                connection.close()
                pause = self._back_off()
            if pause is None:
                return
            self.had_work = True
            try:
                sleep(pause)
            except DatabaseError:
                connection.close()  # the next round tries again

    def _back_off(self) -> float:
        self.failures += 1
        return float(min(settings.LAMINA_POLL_SECONDS * 2 ** (self.failures - 1), BACK_OFF_MAX_SECONDS))

    def _rest(self, seconds: float) -> None:
        """Sleep until the next round, but end a long pause soon after someone starts or opens a run that isn't followed
        live."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not stop_requested():
            self._sleep(min(left, settings.LAMINA_POLL_SECONDS))
            sooner = self.schedule.needing_sooner(seconds, timezone.now())
            if any(not self.streams.follows(run) for run in sooner):
                return

    def _sleep(self, seconds: float) -> None:
        """Sleep in short steps; between them, the poller can stop, renew its lease and apply what streams deliver."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not stop_requested():
            self._follow(min(SLICE_SECONDS, left))

    def _follow(self, seconds: float = 0.0) -> None:
        """Apply what the streams deliver within `seconds`, and open streams for new runs."""
        self._apply_arrivals(seconds)
        self._keep_lease()
        self.streams.tend(besides=self.unread)

    def _apply_arrivals(self, seconds: float = 0.0) -> None:
        event = self.streams.wait(seconds)
        while event is not None:
            try:
                self._keep_lease()
                self.streams.apply(event)
            except DatabaseError:
                self.streams.give_up(event)
                raise
            event = self.streams.wait(0)

    def _keep_lease(self) -> None:
        if time.monotonic() - self.renewed_at > LEASE_SECONDS / 4:
            self._renew()

    def _renew(self) -> None:
        if not leases.renew(poller_wakeups.POLLER, self.holder, LEASE_SECONDS):
            raise LeaseLost
        self.renewed_at = time.monotonic()

    def round(self) -> float | None:
        """Poll all active runs once; return how long to sleep, or None if nothing is left to watch."""
        self._renew()
        heartbeats.beat("poller")
        now = timezone.now()
        sweep.sweep(now)
        self._apply_arrivals()
        active = {run.remote_id: run for run in Run.objects.at_lamina().order_by("seen_at")}
        self.streams.keep(active.values())
        if not active:
            return settings.LAMINA_POLL_SECONDS if Run.objects.needing_poller().exists() else None
        self.unread = {run.pk: run for run in self.unread.values() if run.remote_id in active}
        self.streams.tend(besides=self.unread, is_due=True)
        if self.streams.need_list():
            return self._poll(active, now)
        alone = {key: run for key, run in active.items() if run.pk in self.unread or not self.streams.follows(run)}
        return self._poll(alone, now)

    def _poll(self, active: dict[str, Run], now: datetime) -> float:
        """Unless it is too early, read the list for these runs, and then the results of runs that have ended; return
        how long to sleep."""
        if not active:
            return float(settings.LAMINA_POLL_SECONDS)
        if (early := self.schedule.too_early(list(active.values()), now)) > 0:
            return early
        others = {key: run for key, run in active.items() if run.pk not in self.unread}
        # While the budget is short, each read of the list means that one run's results have to wait. Even so, don't
        # leave the list unread for longer than a slow round.
        if not (others and self._is_look_overdue()):
            self._read_each(oldest_first(self.unread.values()))
        if others and not self._is_delivered(now):
            self._look_at_list(others)
        self._read_partials(list(active.values()))
        return self.schedule.pause(list(active.values()), timezone.now())

    def _look_at_list(self, active: dict[str, Run]) -> None:
        """Read the list, look for runs that its newest page doesn't show, and then read each run that has ended."""
        ended, hidden = self._read_list(active)
        self.streams.record_listed(active.values())
        self.unread |= {run.pk: run for run in ended}
        if self.is_list_refused:  # each round now reads every run by id, so leave room for starts
            self._read_each(list(hidden.values()), Priority.PARTIAL)
            return
        if hidden:
            self.unread |= {run.pk: run for run in self._reveal(hidden)}
        try:
            self._read_each(oldest_first(self.unread.values()))
        except (RateLimitWait, LaminaRateLimited):
            self._record_unread(ended)
            raise
        except LaminaError:
            self._record_unread(ended, Run.Wait.LAMINA)
            raise
        self._record_unread(ended)

    def _record_unread(self, ended: list[Run], wait: Run.Wait = Run.Wait.NONE) -> None:
        """Record that these runs have ended, except for those whose results were just read."""
        for run in ended:
            if run.pk in self.again_at:
                progress.record_ended([run], timezone.now(), wait=Run.Wait.LAMINA)
            elif run.pk in self.unread:
                progress.record_ended([run], timezone.now(), wait=wait)

    @property
    def is_list_refused(self) -> bool:
        return time.monotonic() < self.list_refused_until

    def _is_look_overdue(self) -> bool:
        return time.monotonic() - self.looked_at > SLOW_SECONDS

    def _is_delivered(self, now: datetime) -> bool:
        """Return whether webhooks make it unnecessary to read the list now; it is still read every SLOW_SECONDS, as a
        safety net."""
        if webhooks.are_arriving(now) and time.monotonic() - self.listed < SLOW_SECONDS:
            return True
        self.listed = time.monotonic()
        return False

    def _read_list(self, active: dict[str, Run]) -> tuple[list[Run], dict[str, Run]]:
        """Read the list's newest page; return the runs that have ended, and the runs that aren't on the page."""
        if self.is_list_refused:
            return [], active
        try:
            page = self._page(Priority.FINAL if self._is_look_overdue() else None, limit=PAGE)
        except LaminaError as error:
            self.looked_at = time.monotonic()  # before trying again, read the runs known to have ended
            if not isinstance(error, LaminaRejected) or error.is_key_refused:
                raise
            # This key isn't allowed to list runs, so read each run by its id.
            self.list_refused_until = time.monotonic() + LIST_REFUSED_SECONDS
            self.is_list_missing = error.is_not_found
            return [], active
        self.is_list_missing = False
        self.looked_at = time.monotonic()
        ended = self._record_rows(active, page.rows)
        ids_on_page = {row.run_id for row in page.rows}
        return ended, {remote_id: run for remote_id, run in active.items() if remote_id not in ids_on_page}

    def _page(self, priority: Priority | None = None, **query: Any) -> RunRows:
        """Read one page of the list, after a brief wait if the budget requires it.

        If we started the round over instead of waiting here, we might never get to the last page.
        """
        for _ in range(WAITS_PER_PAGE):
            self._renew()
            try:
                return lamina(priority).list_runs(**query)
            except RateLimitWait as wait:
                if wait.seconds > LONGEST_WAIT_SECONDS or stop_requested():
                    raise
                self._sleep(wait.seconds)
        return lamina(priority).list_runs(**query)

    def _record_rows(self, active: dict[str, Run], rows: list[RunRow]) -> list[Run]:
        now = timezone.now()
        ended, alive = [], []
        for row in rows:
            run = active.get(row.run_id)
            if run is None:
                continue
            if row.is_final:
                ended.append(run)
            else:
                alive.append(run.pk)
                progress.record_row(run, row, now)
        Run.objects.filter(pk__in=alive).update(seen_at=now, missing_reads=0)
        return ended

    def _reveal(self, hidden: dict[str, Run]) -> list[Run]:
        """Look in Lamina's lists of active runs for runs that the newest page doesn't show. Return the runs that aren't
        there either, starting with the one that hasn't been seen for the longest time."""
        missing = dict(hidden)
        for status in ("running", "queued") if not self.is_list_refused else ():
            for number in range(PAGES):
                if not missing:
                    break
                try:
                    page = self._page(status=status, limit=PAGE, offset=number * PAGE)
                except LaminaRejected as error:
                    if error.is_key_refused:
                        raise
                    return list(missing.values())  # the list was refused, so read these runs by id
                self._record_rows(missing, page.rows)
                for row in page.rows:
                    missing.pop(row.run_id, None)
                if len(page.rows) + page.skipped < PAGE:
                    break
        return list(missing.values())

    def _read_each(self, runs: list[Run], priority: Priority | None = None) -> None:
        """Read runs by id. A run that can't be read is skipped for a while and then comes last, so that it doesn't hold
        up the others."""
        silent = 0  # how many runs in a row got no response
        for run in sorted(runs, key=lambda run: run.pk in self.again_at):
            if stop_requested() or time.monotonic() > self.ends_at + OVERTIME_SECONDS:
                return  # the next window continues
            if self.again_at.get(run.pk, 0.0) > time.monotonic():
                continue
            self._follow()
            try:
                self._read_one(run, priority)
                silent = 0
            except (LaminaUnavailable, LaminaRejected) as error:
                if _is_about_all(error):
                    raise
                self.again_at[run.pk] = time.monotonic() + BACK_OFF_MAX_SECONDS
                silent = silent + 1 if error.status is None else 0
                if silent == SILENT_RUNS:
                    raise
            self.unread.pop(run.pk, None)  # if a run that can't be read has ended, the next read of the list says so

    def _read_one(self, run: Run, priority: Priority | None = None) -> None:
        self._renew()
        try:
            snapshot = lamina(priority).get_run(run.remote_id)
        except LaminaRejected as error:
            if not error.is_not_found:
                raise
            progress.record_missing(run, timezone.now(), is_list_missing=self.is_list_missing)
            self.again_at[run.pk] = time.monotonic() + BACK_OFF_MAX_SECONDS
        else:
            self.again_at.pop(run.pk, None)
            progress.apply_snapshot(run, snapshot, timezone.now())

    def _read_partials(self, active: list[Run]) -> None:
        """Read early results of runs that somebody has on screen, if the budget has room to spare."""
        if is_budget_short(active):
            return
        now, readable_at = timezone.now(), time.monotonic()
        alone = [run.pk for run in active if not self.streams.follows(run)]
        candidates = Run.objects.at_lamina().filter(
            Q(asked_at=None) | Q(asked_at__lt=now - PARTIAL_EVERY),
            pk__in=[pk for pk in alone if self.again_at.get(pk, 0.0) <= readable_at],
            missing_reads=0,
            opened_at__gt=now - ON_SCREEN,
        )
        for run in candidates.exclude(outputs_total=1).order_by("asked_at")[:PARTIALS_PER_ROUND]:
            try:
                self._read_one(run, Priority.PARTIAL)
            except (RateLimitWait, LaminaError):
                return
