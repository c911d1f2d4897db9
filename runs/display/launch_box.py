"""The cost of a run and the button that starts it, below an app's form."""

from dataclasses import dataclass

from runs.models import App, Member
from runs.notices import alerts
from runs.schema_forms.build import SchemaForm
from runs.spending.estimates import CostLine, cost_line


@dataclass(frozen=True)
class LaunchBox:
    """Everything that `launching/_launch.html` shows. Given the same values, the box looks the same for everyone, so
    the rendered HTML is cached (`templatetags/kept.py`)."""

    app_id: str
    cost: CostLine
    has_choice: bool  # there's more than one result to choose from
    is_estimated: bool  # Lamina has said how much a run costs
    has_asked: bool  # the member has asked for a higher limit today
    audience_words: str


def launch_box(app: App, member: Member, form: SchemaForm | None, audience_words: str = "") -> LaunchBox:
    """Return the box below `form`, which has just been opened or posted."""
    cost = cost_line(app, member, form.wanted_outputs() if form else ())
    return LaunchBox(
        app_id=app.public_id,
        cost=cost,
        has_choice=form is not None and form.has_choice,
        is_estimated=app.estimated_at is not None,
        has_asked=cost.can_ask and alerts.has_asked(member),
        audience_words=audience_words,
    )
