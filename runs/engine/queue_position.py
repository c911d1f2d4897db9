"""Our own queue: how many starts that we hold back come before a run. Nobody knows Lamina's queue."""

from django.utils.translation import ngettext

from runs.models import Run
from runs.words.numbers import number_words

ORDERED = (Run.Wait.BUDGET, Run.Wait.APP)  # the other waits are for something, not behind other runs


def place_words(run: Run) -> str:
    """ "2 runs come before it." for a start that waits its turn; empty without a queue or a run before it."""
    if run.status != "starting" or run.wait not in ORDERED:
        return ""
    earlier = Run.objects.filter(status__in=("starting", "checking"), created_at__lt=run.created_at)
    line = earlier.filter(app=run.app_id) if run.wait == Run.Wait.APP else earlier.filter(wait=run.wait)
    count = line.exclude(status="checking", due_at=None).count()
    if not count:
        return ""
    sentence = ngettext("One run comes before it.", "%(count)s runs come before it.", count)
    return sentence % {"count": number_words(count)}
