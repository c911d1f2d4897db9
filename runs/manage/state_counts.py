"""How many runs are in each state, as Health shows them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Min
from django.utils.translation import gettext as _

from runs.models import FINAL, Run, RunCount
from runs.models.run import RunQuerySet
from runs.words.numbers import number_words

TIMES_AS_LONG = 200  # if the worker hasn't counted yet, our own count is cached for this many times as long as it took


@dataclass(frozen=True)
class StateCount:
    """How many runs are in one state, and when the oldest of them was created."""

    word: str
    count: str
    oldest: datetime | None


def state_counts(run_counts: Sequence[RunCount]) -> list[StateCount]:
    """Return the number of runs in each state. There may be a million runs that have ended, so the worker counts those
    (`run_counts`)."""
    ended = _sum_by_status(run_counts) if run_counts else _count_ended()
    rows = sorted([*_by_status(Run.objects.active()), *ended], key=itemgetter("status"))
    words = {"queued": _("In progress (queued)"), "running": _("In progress (running)")}
    return [
        StateCount(
            words.get(row["status"], str(Run.Status(row["status"]).label)), number_words(row["count"]), row["oldest"]
        )
        for row in rows
    ]


def _sum_by_status(run_counts: Sequence[RunCount]) -> list[dict[str, Any]]:
    """Return how many runs have ended in each state, according to the worker's counts."""
    by_status: dict[str, list[RunCount]] = {}
    for one in run_counts:
        if one.status in FINAL:
            by_status.setdefault(one.status, []).append(one)
    return [
        {"status": status, "count": sum(row.runs for row in rows), "oldest": min(row.oldest for row in rows)}
        for status, rows in by_status.items()
    ]


def _count_ended() -> list[dict[str, Any]]:
    """Return how many runs have ended in each state; the result is cached if counting took a while. After an upgrade, a
    large portal may have no worker counts for an hour, and the page reloads every 10 seconds."""
    ended: list[dict[str, Any]] | None = cache.get("runs-ended")
    if ended is None:
        begun = time.monotonic()
        ended = _by_status(Run.objects.filter(status__in=FINAL))
        cache.set("runs-ended", ended, int(TIMES_AS_LONG * (time.monotonic() - begun)))
    return ended


def _by_status(runs: RunQuerySet) -> list[dict[str, Any]]:
    rows = runs.values("status").annotate(count=Count("pk"), oldest=Min("created_at")).order_by()
    return [dict(row) for row in rows]
