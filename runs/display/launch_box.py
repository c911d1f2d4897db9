"""The cost of a run and the button that starts it, below an app's form."""

from dataclasses import dataclass

from runs.models import App, Member
from runs.notices import alerts
from runs.schema_forms.build import SchemaForm
from runs.spending.estimates import CostLine, cost_line

# How many seconds an open page waits before each poll for a missing estimate. The first failure is often over at once;
# after the last poll, a forgotten page has stopped.
POLLS_AFTER = (3, 3, 5, 10, 20, 40, 60, 90, 120)


@dataclass(frozen=True)
class LaunchBox:
    """Everything that `launching/_launch.html` shows."""

    app_id: str
    cost: CostLine
    has_choice: bool  # there's more than one result to choose from
    poll: int  # the number of the next poll for the estimate; 0 if there is none
    has_asked: bool  # the member has asked for a higher limit today
    audience_words: str

    @property
    def poll_seconds(self) -> int:
        return POLLS_AFTER[self.poll - 1] if self.poll else 0


def launch_box(
    app: App, member: Member, form: SchemaForm | None, audience_words: str = "", *, polls: int = 0
) -> LaunchBox:
    """Return the box below `form`, which has just been opened or posted, or has polled `polls` times for the
    estimate."""
    cost = cost_line(app, member, form.wanted_outputs() if form else ())
    return LaunchBox(
        app_id=app.public_id,
        cost=cost,
        has_choice=form is not None and form.has_choice,
        poll=polls + 1 if app.estimated_at is None and polls < len(POLLS_AFTER) else 0,
        has_asked=cost.can_ask and alerts.has_asked(member),
        audience_words=audience_words,
    )
