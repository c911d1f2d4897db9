"""When the next look at Lamina's run list is worth its request.

A look shows every run at once, and no run ends before its app can be done. While the budget has room for all, looks are
frequent. Once less is left than the active runs need for their final reads, each look would delay one of those by half
a minute, so looks wait until most runs should have ended.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from runs.connection import rate_limit
from runs.connection.rate_limit import Priority
from runs.engine import durations
from runs.models import Run

YOUNG = timedelta(minutes=10)
ON_SCREEN = timedelta(seconds=15)
SLOW_SECONDS = 15.0
UNWATCHED = 1.25  # times LAMINA_POLL_SECONDS between two looks while no run is on a screen
# Times LAMINA_POLL_SECONDS until the first look at a run nobody watches, however quick its app is.
CALM = 5 / 3
SHORT = 1.5  # the same, between two looks while the budget is short: ends are still known within 5 s
# First look at a run nobody watches, as part of the quickest of the app's last runs: with at least so many of them, and
# with fewer.
SURELY_NOT_BEFORE = 0.8
FEWEST = 5
PERHAPS_NOT_BEFORE = 0.6
LATEST_FIRST_LOOK = 60.0
# While the budget is short: this long after the quickest end, in LAMINA_POLL_SECONDS, so that one look shows many ends
# and none is known more than 5 s late; and the latest, in seconds.
GATHERING = 4 / 3
LATEST_SHORT_LOOK = 240.0
LOOKS_TO_COME = 4  # must fit into the budget beside the reads


def is_on_screen(run: Run, now: datetime) -> bool:
    """Whether somebody has this run on a page."""
    return run.opened_at is not None and now - run.opened_at < ON_SCREEN


def touch_opened(runs: list[Run], now: datetime) -> None:
    """Note that these runs are on somebody's screen, so that early results are read."""
    stale = [run.pk for run in runs if run.opened_at is None or now - run.opened_at > timedelta(seconds=5)]
    if stale:
        Run.objects.filter(pk__in=stale).filter(Q(opened_at=None) | Q(opened_at__lt=now)).update(opened_at=now)


class PollingSchedule:
    """When one poller looks, for one window; caches what it learns about apps."""

    def __init__(self) -> None:
        self.first_looks: dict[tuple[int, bool], float] = {}

    def too_early(self, active: list[Run], now: datetime) -> float:
        """Seconds in which no look can bring news, at most LAMINA_POLL_SECONDS; 0.0 = look now.

        Runs that somebody watches are looked at now, unless that would make others wait for their results.
        """
        is_short = is_budget_short(active)
        if not is_short and any(is_on_screen(run, now) for run in active):
            return 0.0
        ages = {run: (now - (run.started_at or run.created_at)).total_seconds() for run in active}
        if min(ages.values()) < 0:
            return 0.0  # a clock was set back, or another host's differs
        first = min(self._first_look(run, is_short=is_short) - age for run, age in ages.items())
        return float(min(max(0.0, first), settings.LAMINA_POLL_SECONDS))

    def pause(self, active: list[Run], now: datetime) -> float:
        """Seconds until the next look: quick while somebody watches, calmer for young runs, slow for old ones."""
        poll: float = settings.LAMINA_POLL_SECONDS
        is_watched = any(is_on_screen(run, now) for run in active)
        if not is_watched and all(now - run.created_at >= YOUNG for run in active):
            return max(SLOW_SECONDS, poll)
        if is_budget_short(active):
            return poll * SHORT
        return poll if is_watched else poll * UNWATCHED

    def _first_look(self, run: Run, *, is_short: bool) -> float:
        """Age in seconds at which a run is first worth a look."""
        key = (run.app_id, is_short)
        if key not in self.first_looks:
            self.first_looks[key] = _first_look(durations.work_seconds_of(run.app_id), is_short=is_short)
        return self.first_looks[key]


def is_budget_short(active: Iterable[Run]) -> bool:
    """Whether fewer requests are left than the active runs need: a final read each, and some looks."""
    return rate_limit.left(Priority.FINAL) < sum(1 for _ in active) + LOOKS_TO_COME


def _first_look(spans: list[float], *, is_short: bool) -> float:
    poll: float = settings.LAMINA_POLL_SECONDS
    if not spans:
        return poll * CALM
    if is_short:
        return min(max(poll * CALM, min(spans) + poll * GATHERING), LATEST_SHORT_LOOK)
    part = SURELY_NOT_BEFORE if len(spans) >= FEWEST else PERHAPS_NOT_BEFORE
    return min(max(poll * CALM, min(spans) * part), LATEST_FIRST_LOOK)
