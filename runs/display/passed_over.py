"""Results that were rejected because another one was chosen."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from runs.models import Decision, Member


@dataclass(frozen=True)
class PassedOver:
    """The result that was chosen instead. Both fields are empty if the viewer can't see that result."""

    label: str
    url: str


def passed_over(decision: Decision, viewer: Member) -> PassedOver | None:
    """Return the result that was chosen instead of the one that `decision` is about; None if there wasn't one. The
    chosen result must be loaded with its run."""
    winner = decision.chosen
    if winner is None:
        return None
    if not winner.run.is_visible_to(viewer):
        return PassedOver("", "")
    return PassedOver(winner.numbered_label or _("Result"), winner.get_absolute_url())
