"""Apps that Lamina suggests for a task described in someone's own words. Source: POST /v1/apps/discover."""

from decimal import Decimal
from typing import Any

from runs.lamina import coerce
from runs.lamina.answers import UnreadableAnswer, data_of, rows
from runs.lamina.fields import Credits, Text
from runs.lamina.types import AppSummary

WHY_LENGTH = 300  # characters; longer reasons are truncated and end in "…"


class AppMatch(AppSummary):
    """A matching app, and why it matches. `credits` is None if the cost is unknown."""

    why_match: Text = ""
    estimated_credits: Credits = None

    @property
    def why(self) -> str:
        """The reason as one line of at most 300 characters."""
        words = " ".join(self.why_match[: 10 * WHY_LENGTH].split())
        return words if len(words) <= WHY_LENGTH else f"{words[: WHY_LENGTH - 1].rstrip()}…"

    @property
    def credits(self) -> Decimal | None:
        """The expected cost of a run; negative numbers are ignored."""
        cost = self.estimated_credits
        return cost if cost is not None and cost >= 0 else None


def matches(body: Any) -> list[AppMatch]:
    """Return the readable matches, best first. Raises Unreadable if the response isn't a list of matches."""
    data = data_of(body)
    matches = data.get("matches") if isinstance(data, dict) else data
    if not isinstance(matches, list):
        raise UnreadableAnswer
    # According to the types in Lamina's SDK, `estimatedCredits` is a number in matches but an object in estimates.
    flat = [{**one, "estimatedCredits": _expected(one)} if isinstance(one, dict) else one for one in matches]
    return rows(AppMatch, {"data": flat})[0]


def _expected(match: dict[str, Any]) -> Decimal | None:
    estimate = match.get("estimatedCredits")
    return coerce.as_credits(estimate.get("expected") if isinstance(estimate, dict) else estimate)
