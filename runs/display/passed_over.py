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
    chosen = decision.chosen
    if chosen is None:
        return None
    if not chosen.run.is_visible_to(viewer):
        return PassedOver("", "")
    return PassedOver(chosen.numbered_label or _("Result"), chosen.get_absolute_url())
