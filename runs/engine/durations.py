"""Usual duration of an app's runs, based on the last ones; unknown until five have completed."""

from datetime import datetime, timedelta
from statistics import quantiles

from django.db.models.functions import Coalesce

from runs.models import AT_LAMINA, App, Run

LAST = 20
FEWEST = 5
HALF_AN_HOUR = timedelta(minutes=30)


def spans_of(app_id: int) -> list[float]:
    """Return how many seconds Lamina worked on the app's last completed runs, newest first; at most 20.

    Waiting time doesn't count, neither in our own queue nor in Lamina's, where a burst of our runs wait for each other.
    """
    ended = Run.objects.filter(app=app_id, status="completed").exclude(started_at=None).order_by("-pk")
    pairs = ended.values_list(Coalesce("running_at", "started_at"), "finished_at")[:LAST]
    return [(end - start).total_seconds() for start, end in pairs if start and end]


def work_seconds_of(app_id: int) -> list[float]:
    """Return how many seconds each of the app's last 20 runs spent on Lamina, completed or failed, newest first.

    If Lamina didn't report a run's times, our own are used.
    """
    ended = Run.objects.filter(app=app_id, status__in=("completed", "failed")).exclude(started_at=None)
    told = ended.order_by("-pk").values_list("work_seconds", "started_at", "finished_at")[:LAST]
    return [
        (end - start).total_seconds() if seconds is None else seconds for seconds, start, end in told if start and end
    ]


def slow_level(run: Run, now: datetime) -> int:
    """Return 0 (as usual), 1 (slower than nine in ten runs of its app), 2 (over half an hour) or 3 (over a day)."""
    if run.status not in AT_LAMINA:
        return 0
    age = now - (run.started_at or run.created_at)
    slow = run.app.slow_seconds
    if run.is_silent(now):
        return 3
    if age > HALF_AN_HOUR and (slow or 0) < HALF_AN_HOUR.total_seconds():
        return 2
    if run.status == "queued":
        return 0  # waiting behind other runs on Lamina, which says nothing about its app
    worked = now - (run.running_at or run.started_at or run.created_at)
    return int(slow is not None and worked.total_seconds() > slow)


def usual_end(run: Run, now: datetime) -> tuple[float, float] | None:
    """Return in how many seconds the run ends, if it takes as long as most runs of its app (10th to 95th percentile);
    None if that is unknown. Either number may be negative."""
    quick, late = run.app.quick_seconds, run.app.late_seconds
    if run.status not in AT_LAMINA or quick is None or late is None:
        return None
    worked = (now - (run.running_at or run.started_at or run.created_at)).total_seconds()
    return quick - worked, late - worked


def on_run_ended(run: Run) -> None:
    """Update the percentiles of the app's run times, so that cards need no query of their own."""
    if run.status != "completed":
        return
    spans = spans_of(run.app_id)
    if len(spans) >= FEWEST:
        twentieths = quantiles(spans, n=20, method="inclusive")
        quick, usual, slow, late = (twentieths[place] for place in (1, 9, 17, 18))
        App.objects.filter(pk=run.app_id).update(
            quick_seconds=quick, usual_seconds=usual, slow_seconds=slow, late_seconds=late
        )
