"""What an entry of the record says, in the active language: its kind of object, and what changed."""

import re
from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import pgettext_lazy

from runs.models import Decision, Member, Run, Verb
from runs.words.verbs import VERBS

GROUPS: dict[str, Promise] = {
    "run": _lazy("Runs"),
    "result": _lazy("Results"),
    "review": pgettext_lazy("noun", "Review"),
    "comment": _lazy("Comments"),
    "preset": _lazy("Presets"),
    "view": _lazy("Views"),
    "upload": _lazy("Uploads"),
    "link": _lazy("Guest links"),
    "app": _lazy("Apps"),
    "person": _lazy("People"),
    "portal": _lazy("The portal"),
}
KINDS: dict[str, Promise] = {
    "run": _lazy("Run"),
    "result": _lazy("Result"),
    "request": _lazy("Request for decisions"),
    "app": _lazy("App"),
    "preset": _lazy("Preset"),
    "view": _lazy("View"),
    "person": _lazy("Person"),
    "invite": _lazy("Invitation"),
    "link": _lazy("Guest link"),
    "upload": _lazy("Upload"),
    "browser": _lazy("Browser"),
}
FIELDS: dict[str, Promise] = {
    "alert_left": _lazy("Alert: left in the account"),
    "alert_spent": _lazy("Alert: spent in 24 hours"),
    "allows_unknown": _lazy("Apps of unknown cost"),
    "everyone": _lazy("Limit of everyone together"),
    "each_person": _lazy("Limit of each person"),
    "limit": _lazy("Monthly limit"),
    "price": _lazy("Price"),
    "raised_to": _lazy("Raised to"),
    "raised_until": _lazy("Raised until"),
    "asks_review": _lazy("Asks for a decision"),
    "email": _lazy("Email"),
    "entries": _lazy("Entries"),
    "expires_at": _lazy("Ends"),
    "files": _lazy("Files"),
    "name": _lazy("Name"),
    "older_than": _lazy("Older than"),
    "owner": _lazy("Owner"),
    "results": _lazy("Results"),
    "role": _lazy("Role"),
    "rows": _lazy("Rows"),
    "status": _lazy("State"),
    "title": _lazy("Title"),
    "verdict": _lazy("Decision"),
}
VALUES: dict[str, Mapping[str, "str | Promise"]] = {
    "status": dict(Run.Status.choices),
    "verdict": dict(Decision.Verdict.choices),
    "role": dict(Member.Role.choices),
}
WORD_STARTS = re.compile(r"[_\-\s]+")
NOTHING = "–"  # noqa: RUF001 - a dash
SHOWN = 200  # characters of a value


def verb_words(verb: str) -> str:
    """Return what was done, such as "Run started". A verb that only a newer version knows is returned unchanged."""
    return str(VERBS[Verb(verb)]) if verb in Verb else verb


def kind_words(kind: str) -> str:
    """Return a kind of object, such as "Guest link"; "" for those without a name of their own."""
    return str(KINDS.get(kind, ""))


def field_words(name: str) -> str:
    """Return the name of what changed: "asks_review" is "Asks for a decision", and "longest_days" "Longest days"."""
    if name in FIELDS:
        return str(FIELDS[name])
    words = " ".join(filter(None, WORD_STARTS.split(name)))
    return words[:1].upper() + words[1:]


def value_words(value: Any, field: str = "") -> str:
    """Return a value of `field` before or after a change, or a dash for none."""
    if value is None or value in ("", [], {}):
        return NOTHING
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(map(value_words, value))[:SHOWN]
    if isinstance(value, dict):
        return ", ".join(f"{field_words(str(key))}: {value_words(one)}" for key, one in value.items())[:SHOWN]
    return str(VALUES.get(field, {}).get(str(value), value))[:SHOWN]
