"""The choices in the log's filters."""

from runs.audit.lines import Lines
from runs.audit.search import Search
from runs.models import Entry, Member, Verb
from runs.words.fold import fold
from runs.words.record_text import GROUPS, kind_words, verb_words

type Options = list[tuple[str, str, bool]]  # for each choice: its value, its label, and whether it's selected


def people(search: Search) -> Options:
    """Return all members, sorted by name. People who have left are included, because the record still shows what they
    did."""
    members = sorted(Member.objects.only("public_id", "name", "email"), key=lambda one: fold(one.display_name))
    return [(one.public_id, one.display_name, one.public_id == search.who) for one in members]


def ways(search: Search) -> Options:
    """Return the kinds of actors that don't have an account, such as guests."""
    return [(way.value, str(way.label), way.value == search.who) for way in Entry.Way if way != Entry.Way.PAGE]


def acts(search: Search) -> list[tuple[str, Options]]:
    """Return all actions, grouped by the kind of thing they affect."""
    return [
        (str(words), [(verb.value, verb_words(verb), verb == search.act) for verb in Verb if verb.group == group])
        for group, words in GROUPS.items()
    ]


def object_words(search: Search, lines: Lines) -> str:
    """Return the name of the object that the log is filtered by, taken from its latest entry; "" if it isn't filtered
    by object."""
    if not search.wanted_object:
        return ""
    kind, object_id = search.wanted_object
    labels = (line.entry.object_label for _, some in lines.days for line in some)
    return f"{kind_words(kind) or kind}: {next(labels, '') or object_id}"
