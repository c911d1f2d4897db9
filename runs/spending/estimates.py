"""What a run will cost and whether it can be paid, as far as anybody knows; never a guess presented as a fact."""

from dataclasses import dataclass

from runs.connection import status
from runs.models import App, Member
from runs.words.sentences import about_credits, credits_words

NOT_OPEN = "This workspace can't use this app. Its author can allow it at Lamina."


@dataclass(frozen=True)
class CostLine:
    """The line beside Run. A blocked run says why, and what to do."""

    words: str
    balance_words: str
    is_unknown: bool
    is_blocked: bool
    reason: str
    not_open: str  # why nobody here can run the app, whatever their role and the balance; else empty


def cost_line(app: App, member: Member) -> CostLine:
    """Cost of a full run of APP beside what is left."""
    balance = status.lamina_status().balance
    words = about_credits(app.credits_expected, app.credits_min, app.credits_max)
    left = credits_words(balance)
    reason = ""
    if not member.can_run:
        reason = "Your role lets you look, not run. Ask an admin to change it."
    elif app.is_gone:
        reason = "Lamina no longer offers this app."
    elif app.is_forbidden:
        reason = NOT_OPEN
    elif balance is not None and app.credits_expected is not None and app.credits_expected > balance:
        least = app.credits_min if app.credits_min is not None else app.credits_expected
        if least > balance:
            ask = "Add credits at Lamina." if member.is_admin else "Ask an admin to add credits."
            reason = f"There are {left} credits left, this needs {about_credits(app.credits_expected)}. {ask}"
    return CostLine(
        words=words or "cost unknown",
        balance_words=f"{left} left" if left else "balance unknown",
        is_unknown=not words,
        is_blocked=bool(reason),
        reason=reason,
        not_open=NOT_OPEN if app.is_forbidden else "",
    )
