"""Decide when it is worth spending a request on polling Lamina's run list.

One poll shows all runs, and it makes no sense to poll before any of them has had time to finish. While the request
budget has room, polls are frequent. When the budget is too small for the final reads of the active runs, each poll
would delay one of these reads by half a minute, so we don't poll until most runs should have ended.
"""

import time
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet

from runs.connection import rate_limit
from runs.connection.rate_limit import Priority
from runs.engine import durations
from runs.models import Run

YOUNG = timedelta(minutes=10)
ON_SCREEN = timedelta(seconds=15)
SLOW_SECONDS = 15.0
UNWATCHED = 1.25  # pause between polls while nobody is watching a run, in multiples of LAMINA_POLL_SECONDS
# Minimum wait before the first poll for a run that nobody is watching, in multiples of LAMINA_POLL_SECONDS.
CALM = 5 / 3
# Pause between polls while the budget is short and many runs are active, in multiples of LAMINA_POLL_SECONDS. We still
# notice within 5 s that a run has ended.
SHORT = 1.5
# When to first poll for a run that nobody is watching, as a fraction of its app's shortest recent run time: SURELY_… if
# there were at least FEWEST recent runs, PERHAPS_… if there were fewer.
SURELY_NOT_BEFORE = 0.8
FEWEST = 5
PERHAPS_NOT_BEFORE = 0.6
LATEST_FIRST_LOOK = 60.0
# When to first poll while the budget is short. GATHERING is how long to wait beyond the shortest recent run time, in
# multiples of LAMINA_POLL_SECONDS: one poll then shows many runs that have ended, none of them more than 5 s ago.
# LATEST_SHORT_LOOK is how old a run may get, in seconds, before we poll regardless.
GATHERING = 4 / 3
GATHERING_FEW = 5 / 6  # GATHERING when only a few runs are active, because their final reads need little of the budget
FEW = 20
LATEST_SHORT_LOOK = 240.0
KNOWN_SECONDS = 60.0
LOOKS_TO_COME = 4  # the budget must have room for this many polls on top of the final reads


def is_on_screen(run: Run, now: datetime) -> bool:
    """Return whether somebody has this run on screen."""
    return run.opened_at is not None and now - run.opened_at < ON_SCREEN


def touch_opened(runs: list[Run], now: datetime) -> None:
    """Record that these runs are on somebody's screen, so that their early results are read."""
    stale = [run.pk for run in runs if run.opened_at is None or now - run.opened_at > timedelta(seconds=5)]
    if stale:
        Run.objects.filter(pk__in=stale).filter(Q(opened_at=None) | Q(opened_at__lt=now)).update(opened_at=now)


class PollingSchedule:
    """The polling schedule. It remembers for a minute how long each app's recent runs took."""

    def __init__(self) -> None:
        self.spans: dict[int, list[float]] = {}
        self.forget_at = time.monotonic() + KNOWN_SECONDS

    def too_early(self, active: list[Run], now: datetime) -> float:
        """Return how many seconds to wait until a poll could show anything new, at most LAMINA_POLL_SECONDS; 0.0 means
        poll now.

        Runs that somebody is watching are polled now, unless that would delay the results of other runs.
        """
        gathering = _gathering(active)
        if gathering is None and any(is_on_screen(run, now) for run in active):
            return 0.0
        ages = {run: (now - (run.started_at or run.created_at)).total_seconds() for run in active}
        if min(ages.values()) < 0:
            return 0.0  # our clock was set back, or another host's clock differs
        first = min(_first_look(self._spans(run), gathering) - age for run, age in ages.items())
        return float(min(max(0.0, first), settings.LAMINA_POLL_SECONDS))

    def pause(self, active: list[Run], now: datetime) -> float:
        """Return how many seconds to pause before the next poll: fewest if someone is watching, most if all runs are
        old."""
        poll: float = settings.LAMINA_POLL_SECONDS
        is_watched = any(is_on_screen(run, now) for run in active)
        if not is_watched and all(now - run.created_at >= YOUNG for run in active):
            return max(SLOW_SECONDS, poll)
        if is_budget_short(active):
            is_soon = len(active) <= FEW and all(self._spans(run) for run in active)
            return poll if is_soon else poll * SHORT
        return poll if is_watched else poll * UNWATCHED

    def needing_sooner(self, pause: float, now: datetime) -> QuerySet[Run]:
        """Return the runs that a `pause` meant for old runs is too long for: young ones, and those on somebody's
        screen. If the pause isn't that long, there are none."""
        if pause <= settings.LAMINA_POLL_SECONDS * SHORT:
            return Run.objects.none()
        return Run.objects.at_lamina().filter(Q(created_at__gt=now - YOUNG) | Q(opened_at__gt=now - ON_SCREEN))

    def _spans(self, run: Run) -> list[float]:
        if time.monotonic() > self.forget_at:
            self.spans, self.forget_at = {}, time.monotonic() + KNOWN_SECONDS
        if run.app_id not in self.spans:
            self.spans[run.app_id] = durations.work_seconds_of(run.app_id)
        return self.spans[run.app_id]


def is_budget_short(active: Iterable[Run]) -> bool:
    """Return whether fewer requests are left than the active runs need: a final read for each, plus a few polls."""
    return rate_limit.left(Priority.FINAL) < sum(1 for _ in active) + LOOKS_TO_COME


def _gathering(active: list[Run]) -> float | None:
    """Return how long to delay a poll so that it finds more runs that have ended, in multiples of LAMINA_POLL_SECONDS;
    None if the budget has room."""
    if not is_budget_short(active):
        return None
    return GATHERING_FEW if len(active) <= FEW else GATHERING


def _first_look(spans: list[float], gathering: float | None) -> float:
    """Return how old a run has to be, in seconds, before it's worth polling for, given that recent runs took `spans`
    seconds."""
    poll: float = settings.LAMINA_POLL_SECONDS
    if not spans:
        return poll * CALM
    if gathering is not None:
        return min(max(poll * CALM, min(spans) + poll * gathering), LATEST_SHORT_LOOK)
    part = SURELY_NOT_BEFORE if len(spans) >= FEWEST else PERHAPS_NOT_BEFORE
    return min(max(poll * CALM, min(spans) * part), LATEST_FIRST_LOOK)
