"""What the changes of an entry in the record say, as sentences in the active language."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import pgettext_lazy

from runs.models import AT_LAMINA, AppRule, Decision, FieldRule, Member, NoticeKind
from runs.models.decisions import ReviewRules
from runs.models.entry import HIDDEN, Entry
from runs.models.notice import Way
from runs.models.sharing import SharingRules
from runs.words.credits import credit_words, to_hundredths
from runs.words.moments import day_words, portal_day
from runs.words.numbers import number_words
from runs.words.record_text import verb_words
from runs.words.run_states import STATES
from runs.words.time_zones import place_words

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

FIELDS: "dict[str, StrOrPromise]" = {
    **AppRule.PLAIN,
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
    "guest": _lazy("Guest"),
    "guests_allowed": _lazy("Guest links allowed"),
    "has_shortcuts": _lazy("Keyboard shortcuts"),
    "help": pgettext_lazy("of a field", "Help"),
    "hides_names": _lazy("Hides names"),
    "host": pgettext_lazy("of an address", "Host"),
    "is_hidden": _lazy("Hidden"),
    "is_team": _lazy("For the whole team"),
    "kinds": _lazy("Kinds of messages"),
    "label": pgettext_lazy("of a field", "Label"),
    "language": _lazy("Language"),
    "lets_comment": _lazy("Guests can comment"),
    "lets_decide": _lazy("Guests can decide"),
    "limit": _lazy("Monthly limit"),
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
    "result": _lazy("Result"),
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
    "version": _lazy("Version"),
}
FILTERS: dict[str, Promise] = {
    "who": _lazy("Who"),
    "act": _lazy("What"),
    "about": _lazy("About"),
    "since": pgettext_lazy("start of a period", "From"),
    "until": pgettext_lazy("end of a period", "Until"),
}
# What the codes of a field mean. Some fields have a code that is empty.
CODES: dict[str, Mapping[str, "str | Promise"]] = {
    "deciders": dict(ReviewRules.Deciders.choices),
    "kinds": dict(NoticeKind.choices),
    "language": {"": _lazy("Browser language"), **dict(settings.LANGUAGES)},
    "limit": {"unlimited": _lazy("unlimited")},
    "link_makers": dict(SharingRules.Makers.choices),
    "role": dict(Member.Role.choices),
    "roles": dict(Member.Role.choices),
    "status": STATES | dict.fromkeys(AT_LAMINA, STATES["progress"]) | {"completed": STATES["ready"]},
    "theme": dict(Member.Theme.choices),
    "time_zone": {"": _lazy("Browser time zone")},
    "verdict": dict(Decision.Verdict.choices),
    **{name: dict(Way.choices) for name in (*NoticeKind.values, "reminder")},
}
CREDITS = frozenset({"alert_left", "alert_spent", "each_person", "everyone", "limit", "price", "raised_to"})
DAYS = frozenset({"older_than", "raised_until"})
ADDED = frozenset({"comments", "files", "results"})  # counts; an old value of 0 isn't shown
COUNTS = frozenset({"entries", "links", "presets", "runs"})  # counts of what was taken away; only these are shown
WORD_STARTS = re.compile(r"[_\-\s]+")
LONGEST = 200  # maximum length of a displayed value, in characters


def field_words(name: str) -> str:
    """Return the display name of a changed field, such as "Asks for a decision" for "asks_review". If the field has
    none, make one from `name`: "Some field" for "some_field"."""
    if name in FIELDS:
        return str(FIELDS[name])
    if name in NoticeKind.values:
        return str(NoticeKind(name).label)
    words = " ".join(filter(None, WORD_STARTS.split(name)))
    return words[:1].upper() + words[1:]


def change_sentences(changes: Any) -> list[str]:
    """Return what the changes of an entry say, as sentences such as "Role: was Maker, now Approver"."""
    pairs = changes.items() if isinstance(changes, dict) else ()
    sentences = [_sentences(name, *pair) for name, pair in pairs if isinstance(pair, list) and len(pair) == 2]
    return [sentence for some in sentences for sentence in some]


def _sentences(name: str, before: Any, after: Any) -> list[str]:
    if name == "fields" and isinstance(before or {}, dict) and isinstance(after or {}, dict):
        return _rules_sentences(before or {}, after or {})
    if name in COUNTS:
        before, after = None, before
    elif name in ADDED:
        before = before or None
    return _sentence(field_words(name), name, before, after)


def _sentence(label: str, name: str, before: Any, after: Any) -> list[str]:
    """Return what has changed in the field `name`, which is shown as `label`; nothing if it had and has no value."""
    values = {"name": label, "before": value_words(before, name), "after": value_words(after, name)}
    if HIDDEN in (before, after):
        return [_hidden_words(before, after) % values]
    if not values["before"] or before == after:
        return [_("%(name)s: %(after)s") % values] if values["after"] else []
    if not values["after"]:
        return [_("%(name)s: was %(before)s, now none") % values]
    return [_("%(name)s: was %(before)s, now %(after)s") % values]


def _hidden_words(before: Any, after: Any) -> str:
    """Return a sentence about a value that isn't recorded, such as a passphrase."""
    if before != HIDDEN:
        return _("%(name)s: set")
    return _("%(name)s: changed") if after else _("%(name)s: removed")


def _rules_sentences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return what has changed in an app's fields, such as "Background: was open, now locked to “white”". Each mapping
    has what an admin has set for a field, by the field's name and key."""
    sentences = []
    for field in dict.fromkeys((*before, *after)):
        was, now = dict(before.get(field) or {}), dict(after.get(field) or {})
        label = field.rpartition(" · ")[0] or field
        if _mode_words(was) != _mode_words(now):
            sentences += _sentence(label, "", _mode_words(was), _mode_words(now))
        for name in ("label", "help", "options"):
            if was.get(name) != now.get(name):
                sentences += _sentence(f"{label} ({field_words(name)})", name, was.get(name), now.get(name))
    # Values that people typed aren't recorded, so a change of one can't be seen.
    return sentences or [_("%(name)s: changed") % {"name": field_words("fields")}]


def _mode_words(rule: Mapping[str, Any]) -> str:
    """Return whether a field is open, locked or hidden, and the value that it then sends, if that is recorded."""
    value = rule.get("choice") or rule.get("file")
    words = {
        FieldRule.Mode.LOCKED: _("locked to “%(value)s”") if value else _("locked"),
        FieldRule.Mode.HIDDEN: _("hidden, sends “%(value)s”") if value else _("hidden"),
    }
    return words.get(rule.get("mode", ""), _("open")) % {"value": value}


def value_words(value: Any, field: str = "") -> str:
    """Return the value `field` had before or after a change, in words; "" if it had none."""
    codes = CODES.get(field, {})
    if isinstance(value, str) and value in codes:
        return str(codes[value])
    if value is None or value in ("", [], {}):
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(value_words(one, field) for one in value)[:LONGEST]
    if isinstance(value, dict):
        return ", ".join(f"{field_words(str(key))}: {value_words(one)}" for key, one in value.items())[:LONGEST]
    try:
        return _typed_words(value, field)[:LONGEST]
    except (ValueError, ArithmeticError):
        return str(value)[:LONGEST]


def _typed_words(value: str | float, field: str) -> str:
    """Return an amount, a time or the like in words. Raises an error if `value` isn't one."""
    if field in CREDITS:
        return credit_words(to_hundredths(Decimal(value)))
    if field in DAYS:
        return day_words(date.fromisoformat(str(value)))
    if field == "expires_at":  # the end of the link's last day, which is the same for all readers
        return day_words(portal_day(datetime.fromisoformat(str(value)) - timedelta(seconds=1)))
    if field == "mail_hour":
        return f"{int(value):02d}:00"
    if field == "time_zone":
        return place_words(str(value))
    if field == "filter":
        return ", ".join(_filter_words(*pair) for pair in parse_qsl(str(value)))
    return number_words(value) if isinstance(value, int) else str(value)


def _filter_words(name: str, value: str) -> str:
    if name == "act":
        value = verb_words(value)
    elif name == "who":
        value = str(dict(Entry.Way.choices).get(value, value))
    return f"{FILTERS.get(name, name)}: {value}"
