"""What entries are about: an object's kind, id and label, as stored in the audit record.

Labels never contain what people typed into an app, a comment or a passphrase, because individual entries can't be
removed later.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model

from runs import models
from runs.models.entry import LABEL_LENGTH


@dataclass(frozen=True)
class ObjectName:
    """An object as the audit record names it. `kind` and `object_id` are empty if the entry is about the portal as a
    whole."""

    kind: str = ""
    object_id: str = ""
    label: str = ""


def _of_run(run: models.Run) -> str:
    return run.title or run.app_name


def _of_output(output: models.Output) -> str:
    return " · ".join(filter(None, (output.numbered_label, _of_run(output.run))))


def _of_link(link: models.GuestLink) -> str:
    return link.audience


def _of_invite(invite: models.Invite) -> str:
    return invite.name or invite.email


def _of_named(thing: Any) -> str:
    return str(thing.name)


KINDS: dict[type[Model], tuple[str, Callable[[Any], str]]] = {
    models.Run: ("run", _of_run),
    models.Output: ("result", _of_output),
    models.ReviewRequest: ("request", lambda request: ""),
    models.App: ("app", _of_named),
    models.Preset: ("preset", _of_named),
    models.SavedView: ("view", _of_named),
    models.Member: ("person", lambda member: member.display_name),
    models.Invite: ("invite", _of_invite),
    models.GuestLink: ("link", _of_link),
    models.Upload: ("upload", lambda upload: ""),
    models.BrowserSession: ("browser", lambda session: session.browser),
}


def name_of(target: Model | None, label: str = "") -> ObjectName:
    """Return the kind, id and label that the audit record uses for `target`. Objects without a public id, such as
    rules, have only a kind. For a comment or decision, return those of the result or run it's about."""
    target = _subject_of(target)
    if target is None:
        return ObjectName(label=label[:LABEL_LENGTH])
    kind, label_of = KINDS.get(type(target), (type(target).__name__.lower()[:20], lambda _: ""))
    object_id = getattr(target, "public_id", "")
    return ObjectName(kind, str(object_id)[:40], (label or label_of(target))[:LABEL_LENGTH])


def _subject_of(target: Model | None) -> Model | None:
    if isinstance(target, models.Decision):
        return target.output
    if isinstance(target, models.Comment):
        return target.output or target.run
    return target
