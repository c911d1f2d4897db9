"""How long an app usually takes, from its own last runs; no guess before five have ended."""

from statistics import quantiles

from runs.models import App, Run

LAST = 20
FEWEST = 5


def spans_of(app_id: int) -> list[float]:
    """Seconds the app's last completed runs took, newest first; at most 20."""
    ended = Run.objects.filter(app=app_id, status="completed").exclude(started_at=None).order_by("-pk")
    pairs = ended.values_list("started_at", "finished_at")[:LAST]
    return [(end - start).total_seconds() for start, end in pairs if start and end]


def quickest_end(app_id: int) -> float | None:
    """Seconds until the quickest of the app's last 20 ends, good or bad; None before there is one."""
    ended = Run.objects.filter(app=app_id, status__in=("completed", "failed")).exclude(started_at=None)
    pairs = ended.order_by("-pk").values_list("started_at", "finished_at")[:LAST]
    return min(((end - start).total_seconds() for start, end in pairs if start and end), default=None)


def note_ended(app_id: int) -> None:
    """Keep the app's median and nine-in-ten up to date, so that cards need no query of their own."""
    spans = spans_of(app_id)
    if len(spans) >= FEWEST:
        tenths = quantiles(spans, n=10, method="inclusive")
        App.objects.filter(pk=app_id).update(usual_seconds=tenths[4], slow_seconds=tenths[8])
