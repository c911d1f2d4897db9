"""The audit record as rows of a CSV file. Entries are read in batches, so a million entries take no more memory than a
few. Times are in the reader's time zone, as on pages."""

from collections.abc import Iterator

from django.utils import timezone
from django.utils.translation import gettext as _

from runs.audit.lines import networks_of, who_words
from runs.models import Entry
from runs.models.entry import EntryQuerySet
from runs.words.record_changes import change_sentences
from runs.words.record_text import kind_words, verb_words
from runs.words.time_zones import zone_name_words

SLICE = 2000


def rows_of(matches: EntryQuerySet) -> Iterator[list[str]]:
    """Yield the headings, then a row for each entry in `matches`, latest first."""
    yield [
        *(_("Time (%(zone)s)") % {"zone": zone_name_words()}, _("Who"), _("How"), _("What"), _("Code")),
        *(_("Kind"), _("Object"), _("ID"), _("Changes"), _("Request ID"), _("Network")),
    ]
    last: Entry | None = None
    while entries := list((matches.before(last) if last else matches)[:SLICE]):
        networks = networks_of(entries)
        yield from (_row(entry, networks.get(entry.pk, "")) for entry in entries)
        last = entries[-1]


def _row(entry: Entry, network: str) -> list[str]:
    return [
        f"{timezone.localtime(entry.at):%Y-%m-%d %H:%M:%S}",
        who_words(entry),
        str(Entry.Way(entry.way).label),
        verb_words(entry.verb),
        entry.verb,
        kind_words(entry.object_kind) or entry.object_kind,
        entry.object_label,
        entry.object_id,
        "; ".join(change_sentences(entry.changes)),
        entry.request_id,
        network,
    ]
