"""Notices when two people change the same settings at once, so that the second one replaces nothing unseen.

A page sends back what it showed (`seen_of`). If something else is stored by then, the act is refused, and its page says
who was faster (`web.posted.SeenForm`).
"""

from collections.abc import Mapping
from typing import Any

from runs.models.entry import EntryQuerySet


class OvertakenError(Exception):
    """Someone else has saved other values since the page was opened. `name` says who, or is "" if that is unknown."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def seen_of(values: Mapping[str, Any]) -> str:
    """Return `values` as a page sends them back."""
    return "/".join(str(value) for value in values.values())


def refuse_older(seen: str, before: Mapping[str, Any], after: Mapping[str, Any], acts: EntryQuerySet) -> None:
    """Raise `OvertakenError` if the page showed other values than those stored `before`, and `after` would replace
    them. `seen` is "" if nobody knows what it showed; `acts` are the entries that say who stored them."""
    if not seen or seen == seen_of(before) or after == before:
        return
    last = acts.order_by("-at", "-pk").first()
    raise OvertakenError(last.actor_name if last else "")
