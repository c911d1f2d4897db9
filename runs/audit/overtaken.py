"""Changes settings and records the change, and notices when two people change the same ones at once, so that nobody
overwrites values they haven't seen.

A page sends back the values that it showed (`version_of`). If different values have been stored in the meantime, the
change is refused, and the page says who changed them (`web.posted.SeenForm`).
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Model

from runs.audit.objects import name_of
from runs.audit.record import differences, record, values_of
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


def change_row[Row: Model](
    row: Row,
    values: Mapping[str, Any],
    version: str,
    verb: Verb,
    target: Model | None,
    recorded: Callable[[Row], Mapping[str, Any]] | None = None,
) -> None:
    """Save `values` in `row`, which is locked, and record that `verb` was done to `target`.

    `version` is the `version_of` what the page showed, or "" if we don't know that. Raises `OvertakenError` if
    someone has saved different values since. If what the page and the record show isn't simply `values`, `recorded`
    returns it for a row.
    """
    recorded = recorded or (lambda row: values_of(row, *values))
    before = recorded(row)
    for name, value in values.items():
        setattr(row, name, value)
    after = recorded(row)
    refuse_older(version, before, after, changes_of(target, after))
    row.save(update_fields=list(values))
    record(verb, target, changes=differences(before, after))


def changes_of(target: Model | None, values: Mapping[str, Any]) -> EntryQuerySet:
    """Return the entries in the audit record for changes of any of these values of `target`."""
    name = name_of(target)
    return Entry.objects.about(name.kind, name.object_id).filter(changes__has_any_keys=list(values))


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
