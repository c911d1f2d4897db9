"""Notices when two people change the same settings at once, so that nobody overwrites values they haven't seen.

A page sends back the values that it showed (`version_of`). If different values have been stored in the meantime, the
change is refused, and the page says who changed them (`web.posted.SeenForm`).
"""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model

from runs.audit.objects import name_of
from runs.models import Entry, Verb
from runs.models.entry import EntryQuerySet


class OvertakenError(Exception):
    """Someone else has saved different values since the page was opened. `name` is that person's name, or "" if
    unknown."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def locked_row[Rules: Model](model: type[Rules]) -> Rules:
    """Lock the only row of `model` and return it. Needs a transaction.

    If there is no row yet, create one with the defaults first. That way, if the first two people save at the same
    moment, the second waits and then gets what the first one saved.
    """
    rows = model._default_manager.select_for_update()
    return rows.order_by("pk").first() or rows.get_or_create(pk=1)[0]


def changes_of(model: type[Model]) -> EntryQuerySet:
    """Return the entries in the audit record for changes to the rules in `model`."""
    acts = Entry.objects.filter(verb=Verb.RULES_CHANGED, object_kind=name_of(model()).kind)
    return acts.exclude(changes={})


def version_of(values: Mapping[str, Any]) -> str:
    """Return `values` as a single string for the page to send back with its form."""
    return "/".join(str(value) for value in values.values())


def refuse_older(version: str, before: Mapping[str, Any], after: Mapping[str, Any], acts: EntryQuerySet) -> None:
    """Raise `OvertakenError` if saving would overwrite values that the page didn't show.

    `before` and `after` are the values before and after the change; `version` is "" if we don't know what the page
    showed. `acts` are the audit entries for these changes; the last one says who saved the current values.
    """
    if not version or version == version_of(before) or after == before:
        return
    last = acts.order_by("-at", "-pk").first()
    raise OvertakenError(last.actor_name if last else "")
