"""Ask Lamina to cancel runs. The worker does this once `progress.ask_cancel` has recorded a person's request."""

from contextlib import suppress

from django.utils import timezone

from runs.connection.lamina_api import lamina
from runs.connection.rate_limit import Priority, RateLimitWait
from runs.engine import progress, wakeups
from runs.lamina.errors import LaminaError, LaminaRejected
from runs.models import Run

NO_WORD = "no word"


def send_cancel(run_id: int) -> None:
    """Ask Lamina to cancel a run, then read the run's state, because only the state shows whether the run has
    stopped."""
    run = Run.objects.get(pk=run_id)
    if run.is_final or not run.remote_id or run.cancel_asked_at is None:
        return
    try:
        answer = lamina().cancel_run(run.remote_id)
    except LaminaRejected as error:
        if error.is_key_refused:
            wakeups.allow(run.pk)
            return  # an admin can fix the key; keep the cancel request until then
        answer = "refused"
    except (LaminaError, RateLimitWait):
        wakeups.allow(run.pk)
        return  # the sweep sends the request again
    if not answer and run.cancel_sent_at is not None:
        answer = NO_WORD  # that's two responses without a status, so trying again won't help
    progress.record_cancel_sent(run, timezone.now(), answer)
    with suppress(LaminaError, RateLimitWait):  # if this fails, the poller reads the state
        progress.apply_snapshot(run, lamina(Priority.START).get_run(run.remote_id), timezone.now())
