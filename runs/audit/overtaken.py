"""Notices when two people change the same settings at once, so that nobody replaces values they haven't seen.

A page sends back the values that it showed (`seen_of`). If different values have been stored meanwhile, the change is
refused, and the page says who changed them (`web.posted.SeenForm`).
"""

from collections.abc import Mapping
from typing import Any

from runs.models.entry import EntryQuerySet


class OvertakenError(Exception):
    """Someone else has saved different values since the page was opened. `name` is that person, or "" if unknown."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def seen_of(values: Mapping[str, Any]) -> str:
    """Return `values` as one text that a page sends back with its form."""
    return "/".join(str(value) for value in values.values())


def refuse_older(seen: str, before: Mapping[str, Any], after: Mapping[str, Any], acts: EntryQuerySet) -> None:
    """Raise `OvertakenError` if saving would replace values that the page didn't show.

    `before` and `after` are the values before and after the change; `seen` is "" if we don't know what the page showed.
    `acts` are the record's entries for such changes; the last entry tells who saved the current values.
    """
    if not seen or seen == seen_of(before) or after == before:
        return
    last = acts.order_by("-at", "-pk").first()
    raise OvertakenError(last.actor_name if last else "")
