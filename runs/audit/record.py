"""Write entries to the audit record. Call these functions inside the transaction that makes the change."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from itertools import batched
from typing import Any

from django.db import models
from django.utils import timezone

from runs.audit import log_lines
from runs.audit.actors import Actor, current_actor
from runs.audit.objects import ObjectName, name_of
from runs.models.entry import HIDDEN, LABEL_LENGTH, Entry, EntryOrigin
from runs.models.verbs import Verb

Changes = Mapping[str, tuple[Any, Any]]
SECRET = frozenset({"password", "passphrase", "token", "secret", "key", "nonce", "address", "hash"})
TYPED = frozenset({"note", "message", "text", "value"})
WITH_ORIGIN = frozenset({Verb.PERSON_SIGNED_IN, Verb.PERSON_REFUSED, Verb.PERSON_JOINED, Verb.PERSON_NEW_PASSWORD})
BATCH = 500
AT_ONCE = 2000  # maximum number of entries held in memory at a time
FEW_FILES = 20  # downloads of up to this many files aren't recorded


def record(
    verb: Verb,
    target: models.Model | None,
    *,
    changes: Changes | None = None,
    label: str = "",
    actor: Actor | None = None,
) -> None:
    """Write one entry: the current actor (or `actor`) did `verb` to `target`, or to the portal as a whole if `target`
    is None.

    `changes` maps each field to its old and new values: {"role": ("maker", "admin")}. `label` replaces the target's own
    label.
    """
    record_each(verb, [target], changes=changes, label=label, actor=actor)


def record_each(
    verb: Verb,
    targets: Iterable[models.Model | None],
    *,
    changes: Changes | None = None,
    label: str = "",
    actor: Actor | None = None,
) -> None:
    """Write one entry for each of `targets`, all with the same time and request id. Only one batch of entries is held
    in memory at a time."""
    who, now, values = actor or current_actor(), timezone.now(), _plain(changes or {})
    for some in batched(targets, AT_ONCE):
        _write([_entry(verb, name_of(target, label), values, who, now) for target in some], who)


def _entry(verb: Verb, name: ObjectName, values: dict[str, list[Any]], who: Actor, now: datetime) -> Entry:
    return Entry(
        at=now,
        actor_id=who.member_id,
        actor_name=who.name[:LABEL_LENGTH],
        way=who.way,
        verb=verb.value,
        object_kind=name.kind,
        object_id=name.object_id,
        object_label=name.label,
        changes=values,
        request_id=who.request_id,
    )


def _write(entries: list[Entry], who: Actor) -> None:
    Entry.objects.bulk_create(entries, batch_size=BATCH)
    has_origin = who.way == Entry.Way.GUEST or entries[0].verb in WITH_ORIGIN
    if who.network and has_origin:
        origins = [EntryOrigin(entry_id=entry.pk, network=who.network, at=entry.at) for entry in entries]
        EntryOrigin.objects.bulk_create(origins, batch_size=BATCH)
    log_lines.on_commit(entries)


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the changes between two sets of values with the same keys, in the form that `record` expects."""
    return {name: (before.get(name), value) for name, value in after.items() if before.get(name) != value}


def values_of(row: models.Model, *names: str) -> dict[str, Any]:
    """Return the values of the fields `names` (by default, all fields except the primary key), for use with
    `differences`."""
    fields = [field for field in row._meta.concrete_fields if field.name in names or not (names or field.primary_key)]
    return {field.name: getattr(row, field.attname) for field in fields}


def _plain(changes: Changes) -> dict[str, list[Any]]:
    """Return `changes` with values that JSON can represent, and without secrets."""
    return {name: [_hidden(name, value) for value in pair] for name, pair in changes.items()}


def _hidden(name: str, value: Any) -> Any:
    is_secret = value and not (SECRET | TYPED).isdisjoint(re.split(r"[^a-z]+", name.lower()))
    return HIDDEN if is_secret else _value(value)  # record only that the value changed


def _inner(name: str, value: Any) -> Any:
    """Return a nested value without secrets. If it is a mapping, `name` may be the name of an app's field, such as
    "Text", so only the keys inside the mapping decide what is secret."""
    return _value(value) if isinstance(value, Mapping) else _hidden(name, value)


def _value(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, models.Model):
        return name_of(value).label
    if isinstance(value, Mapping):
        return {str(key): _inner(str(key), one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_value(one) for one in value]
    return str(value)[:LABEL_LENGTH]
