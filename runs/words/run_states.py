"""Run states as shown to people, and why a run is waiting."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import pgettext_lazy

from runs.models import AT_LAMINA, Run

# The single list of run states as people see them, in the order used by filters.
STATES: dict[str, Promise] = {
    "progress": pgettext_lazy("state of a run", "In progress"),
    "ready": pgettext_lazy("state of a run", "Ready"),
    "partly": pgettext_lazy("state of a run", "Partly ready"),
    "failed": pgettext_lazy("state of a run", "Failed"),
    "cancelled": pgettext_lazy("state of a run", "Cancelled"),
    "starting": pgettext_lazy("state of a run", "Starting"),
    "checking": pgettext_lazy("state of a run", "Checking"),
}


@dataclass(frozen=True)
class RunState:
    """A run's state as shown to people. `key` selects the icon and colour; `detail` is a count such as "1 of 2
    ready"."""

    key: str  # starting, checking, progress, ready, partly, failed, cancelled
    word: str
    detail: str = ""


WAITS: dict[Run.Wait, Promise] = {
    Run.Wait.LAMINA: _lazy("We can't reach Lamina. This run will start automatically."),
    Run.Wait.BUDGET: _lazy("Many runs are starting. This one is waiting its turn."),
    Run.Wait.RATE: _lazy("Lamina asked us to wait. We'll start this run as soon as we can."),
    Run.Wait.APP: _lazy("This run will start automatically once another run of this app has started."),
    Run.Wait.FILES: _lazy("Your files are being sent to Lamina."),
}


def state_of(run: Run) -> RunState:
    """Return the state of the run, as shown on all pages."""
    key = state_key(run)
    return RunState(key, str(STATES[key]), _ready_of(run) if key in ("progress", "partly") else "")


def state_key(run: Run) -> str:
    """Return the key of the run's state."""
    if run.status in AT_LAMINA:
        return "progress"
    if run.status == "completed":
        return "partly" if run.outputs_failed else "ready"
    return run.status


def _ready_of(run: Run) -> str:
    if run.outputs_total < 2:
        return ""
    return _("%(ready)s of %(total)s ready") % {"ready": run.outputs_ready, "total": run.outputs_total}
