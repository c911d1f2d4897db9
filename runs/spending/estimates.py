"""A run's expected cost, and whether there are enough credits. Guesses are never shown as facts."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from runs.connection import status
from runs.models import App, Member
from runs.words.sentences import about_credits, credits_words

NOT_OPEN = gettext_noop("This workspace can't use this app. The app's author can allow it on Lamina.")


@dataclass(frozen=True)
class CostLine:
    """The line next to the Run button. If the run is blocked, `reason` says why and what to do."""

    words: str
    balance_words: str
    is_unknown: bool
    is_blocked: bool
    reason: str
    not_open: str  # why nobody in this workspace can run the app, whatever their role; empty if someone can


def cost_line(app: App, member: Member) -> CostLine:
    """Return the cost of a run of `app` with all its results, and the balance."""
    balance = status.lamina_status().balance
    words = about_credits(app.credits_expected, app.credits_min, app.credits_max)
    left = credits_words(balance)
    reason = ""
    if not member.can_run:
        reason = _("Your role lets you look, not run. Ask an admin to change it.")
    elif app.is_gone:
        reason = _("Lamina no longer offers this app.")
    elif app.is_forbidden:
        reason = _(NOT_OPEN)
    elif balance is not None and app.credits_expected is not None and app.credits_expected > balance:
        least = app.credits_min if app.credits_min is not None else app.credits_expected
        if least > balance:
            reason = (
                _("This needs %(cost)s; the balance is %(balance)s. Add credits on Lamina.")
                if member.is_admin
                else _("This needs %(cost)s; the balance is %(balance)s. Ask an admin to add credits.")
            ) % {"cost": about_credits(app.credits_expected), "balance": left}
    return CostLine(
        words=words or _("cost unknown"),
        balance_words=_("%(credits)s left") % {"credits": left} if left else _("balance unknown"),
        is_unknown=not words,
        is_blocked=bool(reason),
        reason=reason,
        not_open=_(NOT_OPEN) if app.is_forbidden else "",
    )
