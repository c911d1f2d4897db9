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
    def parse(cls, given: Mapping[str, str]) -> Self:
        """Read the search from a URL, ignoring invalid values."""
        values = {name: str(given.get(name, "")).replace("\0", "").strip()[:LONGEST] for name in asdict(cls())}
        found = cls(**values)
        return replace(
            found,
            act=found.act if found.act in Verb else "",
            since=found.since if _day(found.since) else "",
            until=found.until if _day(found.until) else "",
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
        found = Entry.objects.latest_first()
        if self.is_unknown_object:
            return found.none()
        if self.wanted_object:
            found = found.about(*self.wanted_object)
        if self.who in Entry.Way.values:
            found = found.filter(way=self.who)
        elif self.who:
            member = Member.objects.filter(public_id=self.who).first()
            found = found.by(member) if member else found.none()
        if self.act:
            found = found.filter(verb=self.act)
        return found.filter(**self._days())

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
        found = parse_date(text)
    except ValueError:
        return None
    return found if found and YEARS[0] <= found.year <= YEARS[1] else None


def _start(text: str, days: int = 0) -> datetime | None:
    """Return the start (in the reader's time zone) of the day that comes `days` after the one in `text`."""
    day = _day(text)
    return timezone.make_aware(datetime.combine(day + timedelta(days=days), time.min)) if day else None
