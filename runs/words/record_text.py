"""The text of an entry in the record, in the active language: what was done, to what kind of object, and what
changed."""

import re
from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import pgettext_lazy

from runs.models import Decision, Member, NoticeKind, Run, Verb
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
    "invite": pgettext_lazy("noun", "Invite"),
    "link": _lazy("Guest link"),
    "upload": _lazy("Upload"),
    "browser": _lazy("Browser"),
}
FIELDS: dict[str, Promise] = {
    "address": _lazy("Address"),
    "alert_left": _lazy("Alert when this many credits are left"),
    "alert_spent": _lazy("Alert when this many credits are spent in 24 hours"),
    "allows_unknown": _lazy("Apps with unknown cost"),
    "apps": _lazy("Apps"),
    "asks_review": _lazy("Asks for a decision"),
    "audience": _lazy("For"),
    "comments": _lazy("Comments"),
    "company": _lazy("Company name"),
    "deciders": _lazy("Who decides"),
    "each_person": _lazy("Limit per person"),
    "email": _lazy("Email"),
    "entries": _lazy("Entries"),
    "everyone": _lazy("Limit for the whole team"),
    "expires_at": _lazy("Ends"),
    "failed_days": _lazy("Failed runs (days)"),
    "fields": _lazy("Fields"),
    "file": pgettext_lazy("noun", "File"),
    "files": _lazy("Files"),
    "filter": pgettext_lazy("noun", "Filter"),
    "four_eyes": _lazy("Makers can't approve their own results"),
    "group": _lazy("Group"),
    "guest": _lazy("Guest"),
    "guests_allowed": _lazy("Guest links allowed"),
    "has_shortcuts": _lazy("Keyboard shortcuts"),
    "help": pgettext_lazy("of a field", "Help"),
    "hides_names": _lazy("Hides names"),
    "host": pgettext_lazy("of an address", "Host"),
    "house_rules": _lazy("House rules"),
    "is_hidden": _lazy("Hidden"),
    "is_team": _lazy("For the whole team"),
    "kinds": _lazy("Kinds of messages"),
    "label": pgettext_lazy("of a field", "Label"),
    "language": _lazy("Language"),
    "lets_comment": _lazy("Guests can comment"),
    "lets_decide": _lazy("Guests can decide"),
    "limit": _lazy("Monthly limit"),
    "line": _lazy("Line below the name"),
    "link_makers": _lazy("Who can create links"),
    "links": _lazy("Guest links"),
    "lists_cost": _lazy("Lists the cost"),
    "lists_decision": _lazy("Lists the decision"),
    "lists_maker": _lazy("Lists who made it"),
    "logo": _lazy("Logo"),
    "longest_days": _lazy("Maximum link duration (days)"),
    "mail_hour": _lazy("Time of daily emails"),
    "may_download": _lazy("Guests can download"),
    "message": pgettext_lazy("to a guest", "Message"),
    "mode": pgettext_lazy("of a field", "State"),
    "name": _lazy("Name"),
    "needs_passphrase": _lazy("Passphrase needed"),
    "needs_reason": _lazy("Reason needed"),
    "older_than": _lazy("Older than"),
    "only_deciders_links": _lazy("Guests' answers count only through links of people who can decide"),
    "options": pgettext_lazy("of a field", "Options"),
    "owner": _lazy("Owner"),
    "passphrase": _lazy("Passphrase"),
    "place": _lazy("Position"),
    "presets": _lazy("Presets"),
    "price": _lazy("Price"),
    "raised_to": _lazy("Raised to"),
    "raised_until": _lazy("Raised until"),
    "ready_days": _lazy("Runs with results (days)"),
    "record_days": _lazy("Record (days)"),
    "rejected_days": _lazy("Rejected results (days)"),
    "reminder": _lazy("Reminder of due decisions"),
    "results": _lazy("Results"),
    "role": _lazy("Role"),
    "roles": _lazy("Roles"),
    "rows": _lazy("Rows"),
    "runs": _lazy("Runs"),
    "shows_app": _lazy("Shows the app"),
    "shows_comments": _lazy("Shows other people's comments"),
    "shows_inputs": _lazy("Shows inputs"),
    "status": _lazy("State"),
    "team_by_default": _lazy("New runs are shared with the team"),
    "theme": _lazy("Appearance"),
    "time_zone": _lazy("Time zone"),
    "title": _lazy("Title"),
    "uploads_days": _lazy("Uploads (days)"),
    "value": pgettext_lazy("of a field", "Value"),
    "verdict": _lazy("Decision"),
}
VALUES: dict[str, Mapping[str, "str | Promise"]] = {
    "status": dict(Run.Status.choices),
    "verdict": dict(Decision.Verdict.choices),
    "role": dict(Member.Role.choices),
}
WORD_STARTS = re.compile(r"[_\-\s]+")
NOTHING = "–"  # noqa: RUF001 - a dash
SHOWN = 200  # maximum length of a displayed value, in characters


def verb_words(verb: str) -> str:
    """Return what was done, such as "Run started". A verb that only newer versions know is returned unchanged."""
    return str(VERBS[Verb(verb)]) if verb in Verb else verb


def kind_words(kind: str) -> str:
    """Return a kind of object, such as "Guest link"; "" for kinds without a name."""
    return str(KINDS.get(kind, ""))


def field_words(name: str) -> str:
    """Return the display name of a changed field, such as "Asks for a decision" for "asks_review". If the field has
    none, make one from `name`: "Some field" for "some_field"."""
    if name in FIELDS:
        return str(FIELDS[name])
    if name in NoticeKind.values:
        return str(NoticeKind(name).label)
    words = " ".join(filter(None, WORD_STARTS.split(name)))
    return words[:1].upper() + words[1:]


def value_words(value: Any, field: str = "") -> str:
    """Return the value `field` had before or after a change, in words; a dash if it had none."""
    if value is None or value in ("", [], {}):
        return NOTHING
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(map(value_words, value))[:SHOWN]
    if isinstance(value, dict):
        return ", ".join(f"{field_words(str(key))}: {value_words(one)}" for key, one in value.items())[:SHOWN]
    return str(VALUES.get(field, {}).get(str(value), value))[:SHOWN]
