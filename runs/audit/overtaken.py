"""Notices when two people change the same settings at once, so that nobody replaces values they haven't seen.

A page sends back what it showed (`seen_of`). If other values are stored by then, the change is refused, and the page
says who was faster (`web.posted.SeenForm`).
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
    """Return `values` as one text, which a page sends back with its form."""
    return "/".join(str(value) for value in values.values())


def refuse_older(seen: str, before: Mapping[str, Any], after: Mapping[str, Any], acts: EntryQuerySet) -> None:
    """Raise `OvertakenError` if saving would replace values that the page didn't show. The values are those `before`
    and `after` the change; `seen` is "" if we don't know what the page showed. `acts` are the record's entries for such
    changes; the last one tells who saved the current values."""
    if not seen or seen == seen_of(before) or after == before:
        return
    last = acts.order_by("-at", "-pk").first()
    raise OvertakenError(last.actor_name if last else "")
