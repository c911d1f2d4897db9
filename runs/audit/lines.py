"""The audit record as shown on pages: one page of entries at a time, as lines grouped by day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from django.utils import timezone
from django.utils.translation import gettext as _

from runs.audit.object_urls import urls_of
from runs.models import Entry, EntryOrigin, Member
from runs.models.entry import EntryQuerySet
from runs.words.record_changes import change_sentences
from runs.words.record_text import kind_words, verb_words

PAGE = 50


@dataclass(frozen=True)
class EntryLine:
    """An entry as shown on a page. `url` is the page of the object that the entry is about, if that page still
    exists."""

    entry: Entry
    who: str
    what: str
    kind: str
    url: str
    changes: list[str]  # as sentences
    member_id: str = ""  # public id of the member who did it
    network: str = ""

    @property
    def time(self) -> str:
        """Return the time of day in the reader's time zone."""
        return timezone.localtime(self.entry.at).strftime("%H:%M")

    @property
    def label(self) -> str:
        """Return the name of the entry's object; "" if the object is the person who acted, as when someone signs in."""
        is_own = self.entry.object_kind == "person" and self.entry.object_id == self.member_id
        return "" if is_own else self.entry.object_label or (self.kind if self.url else "")

    @property
    def about(self) -> str:
        """Return the entry's object in the form that the log's filter expects."""
        return f"{self.entry.object_kind}:{self.entry.object_id}" if self.entry.object_id else ""


@dataclass(frozen=True)
class Lines:
    """One page of lines, grouped by day, latest first. `older` is the id of the last entry on this page, for the link
    to the next page; "" if this is the last page."""

    days: list[tuple[date, list[EntryLine]]]
    older: str = ""

    def __bool__(self) -> bool:
        return bool(self.days)


def lines_of(queries: Sequence[EntryQuerySet], before: str = "", *, with_networks: bool = False) -> Lines:
    """Return a page of entries that match any query in `queries` and are older than the entry with the id `before`."""
    entries = _latest(queries, before)
    visible, is_more = entries[:PAGE], len(entries) > PAGE
    urls, members = urls_of(visible), _members(visible)
    networks = networks_of(visible) if with_networks else {}
    lines = [
        EntryLine(
            entry=entry,
            who=who_words(entry),
            what=verb_words(entry.verb),
            kind=kind_words(entry.object_kind),
            url=urls.get((entry.object_kind, entry.object_id), ""),
            changes=change_sentences(entry.changes),
            member_id=members.get(entry.actor_id, ""),
            network=networks.get(entry.pk, ""),
        )
        for entry in visible
    ]
    days = groupby(lines, lambda line: timezone.localdate(line.entry.at))
    return Lines([(day, list(some)) for day, some in days], visible[-1].public_id if is_more else "")


def _latest(queries: Sequence[EntryQuerySet], before: str) -> list[Entry]:
    """Read a page from each query and merge them. If the queries were combined with OR, the database would read and
    sort all matching entries."""
    start = Entry.objects.filter(public_id=before).first() if before else None
    some = [rows.before(start) if start else rows for rows in queries]
    entries = {entry.pk: entry for rows in some for entry in rows.latest_first()[: PAGE + 1]}
    return sorted(entries.values(), key=lambda entry: (entry.at, entry.pk), reverse=True)


def who_words(entry: Entry) -> str:
    """Return the name of whoever made the change, as it was at the time."""
    if entry.way == Entry.Way.GUEST:
        return _("%(name)s (guest)") % {"name": entry.actor_name} if entry.actor_name else _("A guest")
    if entry.way == Entry.Way.COMMAND:
        return _("Command %(name)s") % {"name": entry.actor_name}
    if entry.way == Entry.Way.WORKER:
        return _("The portal")
    return entry.actor_name or _("Someone who wasn't signed in")


def _members(entries: Sequence[Entry]) -> dict[int | None, str]:
    ids = {entry.actor_id for entry in entries if entry.actor_id is not None}
    return dict(Member.objects.filter(pk__in=ids).values_list("pk", "public_id")) if ids else {}


def networks_of(entries: Sequence[Entry]) -> dict[int, str]:
    """Return the networks that the guests and sign-ins in `entries` came from, keyed by the entry's primary key."""
    origins = EntryOrigin.objects.filter(entry_id__in=[entry.pk for entry in entries])
    return dict(origins.values_list("entry_id", "network"))
