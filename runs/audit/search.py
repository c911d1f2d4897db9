"""The log page's filters, as given in its URL."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Self
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.dateparse import parse_date

from runs.audit.object_urls import object_at
from runs.models import Entry, Member, Verb
from runs.models.entry import EntryQuerySet

LONGEST = 300  # maximum length of a value in the URL, in characters
YEARS = (1900, 9000)


@dataclass(frozen=True)
class Search:
    """Which entries to show. `who` is a member's public id, or a value of `Entry.Way`. `since` and `until` are days."""

    who: str = ""
    act: str = ""  # a value of `Verb`
    about: str = ""  # the URL of an object's page, or a name such as "run:4f7k2m9p"
    since: str = ""
    until: str = ""

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> Self:
        """Read the search from a URL, ignoring invalid values."""
        values = {name: str(query.get(name, "")).replace("\0", "").strip()[:LONGEST] for name in asdict(cls())}
        search = cls(**values)
        return replace(
            search,
            act=search.act if search.act in Verb else "",
            since=search.since if _day(search.since) else "",
            until=search.until if _day(search.until) else "",
        )

    def query(self, **more: str) -> str:
        """Return the query string, with `more` parameters added or replaced."""
        return urlencode({name: value for name, value in (asdict(self) | more).items() if value})

    @property
    def is_any(self) -> bool:
        return any(asdict(self).values())

    @property
    def wanted_object(self) -> tuple[str, str] | None:
        return object_at(self.about) if self.about else None

    @property
    def is_unknown_object(self) -> bool:
        """Whether `about` is set but doesn't refer to any kind of object in the record."""
        return bool(self.about) and self.wanted_object is None

    def entries(self) -> EntryQuerySet:
        """Return the matching entries, latest first."""
        entries = Entry.objects.latest_first()
        if self.is_unknown_object:
            return entries.none()
        if self.wanted_object:
            entries = entries.about(*self.wanted_object)
        if self.who in Entry.Way.values:
            entries = entries.filter(way=self.who)
        elif self.who:
            member = Member.objects.filter(public_id=self.who).first()
            entries = entries.by(member) if member else entries.none()
        if self.act:
            entries = entries.filter(verb=self.act)
        return entries.filter(**self._days())

    def _days(self) -> dict[str, datetime]:
        days = {}
        if since := _start(self.since):
            days["at__gte"] = since
        if until := _start(self.until, days=1):
            days["at__lt"] = until
        return days


def _day(text: str) -> date | None:
    """Return the day in `text`; None if it isn't a valid day.

    Years outside `YEARS` are rejected, because the first or last day of the calendar may start outside it in UTC, which
    the database can't handle.
    """
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return day if day and YEARS[0] <= day.year <= YEARS[1] else None


def _start(text: str, days: int = 0) -> datetime | None:
    """Return the start (in the reader's time zone) of the day that comes `days` after the one in `text`."""
    day = _day(text)
    return timezone.make_aware(datetime.combine(day + timedelta(days=days), time.min)) if day else None
