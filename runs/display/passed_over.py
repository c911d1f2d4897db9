"""Results that were rejected because another one was chosen."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from runs.models import Decision, Member


@dataclass(frozen=True)
class PassedOver:
    """The result that was chosen instead; both are empty if the viewer can't see it."""

    label: str
    url: str


def passed_over(decision: Decision, viewer: Member) -> PassedOver | None:
    """Return what was chosen instead of the result, whose run must be loaded; None for any other decision."""
    chosen = decision.chosen
    if chosen is None:
        return None
    if not chosen.run.is_visible_to(viewer):
        return PassedOver("", "")
    return PassedOver(chosen.label or _("Result"), chosen.get_absolute_url())
