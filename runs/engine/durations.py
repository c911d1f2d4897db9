"""How long an app's runs usually take, based on the latest completed runs; unknown until there are five."""

from datetime import datetime, timedelta
from statistics import quantiles

from django.db.models.functions import Coalesce

from runs.models import AT_LAMINA, App, Run

LAST = 20
FEWEST = 5
HALF_AN_HOUR = timedelta(minutes=30)
# One run in seven ends outside the range between the 10th and the 95th percentile, so `usual_end` widens the range by
# these factors: pages should nearly always notice the end quickly.
EARLY, LATE = 0.75, 1.5


def spans_of(app_id: int) -> list[float]:
    """Return how many seconds Lamina worked on each of the app's last 20 completed runs, newest first.

    Time in our queue or Lamina's doesn't count, because our runs may be waiting for each other there.
    """
    ended = Run.objects.filter(app=app_id, status="completed").exclude(started_at=None).order_by("-pk")
    pairs = ended.values_list(Coalesce("running_at", "started_at"), "finished_at")[:LAST]
    return [(end - start).total_seconds() for start, end in pairs if start and end]


def work_seconds_of(app_id: int) -> list[float]:
    """Return how many seconds each of the app's last 20 runs spent on Lamina, completed or failed, newest first.

    If Lamina didn't report a run's times, our own are used.
    """
    ended = Run.objects.filter(app=app_id, status__in=("completed", "failed")).exclude(started_at=None)
    rows = ended.order_by("-pk").values_list("work_seconds", "started_at", "finished_at")[:LAST]
    return [
        (end - start).total_seconds() if seconds is None else seconds for seconds, start, end in rows if start and end
    ]


def slow_level(run: Run, now: datetime) -> int:
    """Return how slow a run is: 0 (normal), 1 (slower than 9 in 10 runs of its app), 2 (over half an hour), 3 (over a
    day)."""
    if run.status not in AT_LAMINA:
        return 0
    age = now - (run.started_at or run.created_at)
    slow = run.app.slow_seconds
    if run.is_silent(now):
        return 3
    if age > HALF_AN_HOUR and (slow or 0) < HALF_AN_HOUR.total_seconds():
        return 2
    if run.status == "queued":
        return 0  # it is waiting for other runs on Lamina, so we can't tell whether its app is slow
    worked = now - (run.running_at or run.started_at or run.created_at)
    return int(slow is not None and worked.total_seconds() > slow)


def usual_end(run: Run, now: datetime) -> tuple[float, float] | None:
    """Return the earliest and latest times that the run is likely to end, in seconds from now; None if unknown.

    Both times are based on its app's run times: 0.75 times the 10th and 1.5 times the 95th percentile. The time that
    Lamina has already worked is subtracted, so either may be negative.
    """
    quick, late = run.app.quick_seconds, run.app.late_seconds
    if run.status not in AT_LAMINA or quick is None or late is None:
        return None
    worked = (now - (run.running_at or run.started_at or run.created_at)).total_seconds()
    return EARLY * quick - worked, LATE * late - worked


def on_run_ended(run: Run) -> None:
    """Update the app's stored percentiles of run times. They are stored so that cards don't have to query for them."""
    if run.status != "completed":
        return
    spans = spans_of(run.app_id)
    if len(spans) >= FEWEST:
        twentieths = quantiles(spans, n=20, method="inclusive")
        quick, usual, slow, late = (twentieths[place] for place in (1, 9, 17, 18))
        App.objects.filter(pk=run.app_id).update(
            quick_seconds=quick, usual_seconds=usual, slow_seconds=slow, late_seconds=late
        )
