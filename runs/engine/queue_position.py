"""The position of a run in our own queue of delayed starts. We don't know its position in Lamina's queue."""

from django.utils.translation import ngettext

from runs.models import Run
from runs.words.numbers import number_words

ORDERED = (Run.Wait.BUDGET, Run.Wait.APP)  # only these waits depend on other runs


def place_words(run: Run) -> str:
    """Return a sentence such as "2 runs are ahead of this one." if the start is waiting its turn; "" if no runs are
    ahead."""
    if run.status != "starting" or run.wait not in ORDERED:
        return ""
    earlier = Run.objects.active().filter(status__in=("starting", "checking"), created_at__lt=run.created_at)
    line = earlier.filter(app=run.app_id) if run.wait == Run.Wait.APP else earlier.filter(wait=run.wait)
    count = line.exclude(status="checking", due_at=None).count()
    if not count:
        return ""
    sentence = ngettext("One run is ahead of this one.", "%(count)s runs are ahead of this one.", count)
    return sentence % {"count": number_words(count)}
