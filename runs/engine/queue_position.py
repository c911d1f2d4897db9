"""Our own waiting line: how many starts that we hold back come before one of them. Lamina's queue nobody knows."""

from runs.models import Run

ORDERED = (Run.Wait.BUDGET, Run.Wait.APP)  # the other waits are for something, not behind somebody


def place_words(run: Run) -> str:
    """ "2 runs come before it." for a start that waits its turn; empty where there is no line, or nobody in front."""
    if run.status != "starting" or run.wait not in ORDERED:
        return ""
    earlier = Run.objects.filter(status__in=("starting", "checking"), created_at__lt=run.created_at)
    line = earlier.filter(app=run.app_id) if run.wait == Run.Wait.APP else earlier.filter(wait=run.wait)
    count = line.exclude(status="checking", due_at=None).count()
    return f"{'One run comes' if count == 1 else f'{count:,} runs come'} before it." if count else ""
