"""The text of an entry in the record, in the active language: what was done, and to what kind of object. What changed
is in `record_changes`."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import pgettext_lazy

from runs.models import Verb
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
    "chatchannel": _lazy("Chat channel"),
    "retentionrules": _lazy("Retention"),
    "reviewrules": _lazy("Rules for reviews"),
    "sharingrules": _lazy("Rules for guest links"),
}


def verb_words(verb: str) -> str:
    """Return what was done, such as "Run started". A verb that only newer versions know is returned unchanged."""
    return str(VERBS[Verb(verb)]) if verb in Verb else verb


def kind_words(kind: str) -> str:
    """Return a kind of object, such as "Guest link"; "" for kinds without a name."""
    return str(KINDS.get(kind, ""))
