"""Charge presses of Run: reserved with the run, kept once Lamina has started it, released if it certainly hasn't."""

from datetime import datetime

from runs.models import Charge, Run
from runs.spending.estimates import Estimate
from runs.words.errors import UserFacingError


class LimitReached(UserFacingError):
    """Raised when a press of Run would go beyond a limit, or costs nobody knows how much and that isn't allowed."""


def reserve(run: Run, estimate: Estimate, now: datetime) -> Charge:
    """Charge the press that made `run`, in the caller's transaction. Raises `LimitReached`."""
    raise NotImplementedError


def keep(run: Run) -> None:
    """Keep the charge of `run`, since Lamina has started it, or may have."""


def release(run: Run) -> None:
    """Give back the charge of `run`, since certainly nothing was started."""
