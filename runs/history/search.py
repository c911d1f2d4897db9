"""Finding runs again: what stands in History's address, the runs it means, its pages and neighbours.

A filter is read from a query string and written back to one; whatever cannot be understood counts as not given. Runs
come newest first and pages by keyset (`Cursor`), so that page 1,000 costs what page 1 does. The ids of a page are
found first, in indexes that hold every column a filter asks about (`Run.Meta`): a combination that nobody has costs a
walk over an index and never over the rows. Words are looked for in one narrowed walk over `Run.search_text`: at 100,000
runs that was measured quicker to build, to keep true and to ask than a second table or an index of letter triples, on
both databases, and words of one letter and of any script need no exception.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, time, timedelta
from typing import Self
from urllib.parse import urlencode

from django.db.models import Q
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date

from runs.history.filter_choices import Directory
from runs.models import Member, Run
from runs.models.run import RunQuerySet
from runs.words.fold import fold_words
from runs.words.sentences import STATES

TABS = {"mine": "Mine", "team": "Team", "starred": "Starred"}
KINDS = {"image": "Pictures", "video": "Videos", "audio": "Sound", "text": "Texts"}
NARROWING = ("q", "app", "by", "state", "kind", "from", "to")  # names in the address, in the order of the chips
LONGEST = 200
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
YEARS = (1900, 9998)


@dataclass(frozen=True)
class Filter:
    """What the address of History says. Empty values mean "any"."""

    tab: str = "mine"
    q: str = ""
    app: str = ""  # an app's public id
    by: str = ""  # a member's public id
    state: str = ""
    kind: str = ""
    since: str = ""  # a day, "2026-11-24"; `from` in the address
    until: str = ""  # a day, itself among them; `to` in the address
    view: str = ""  # "list", or pictures

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Self:
        """The filter of a query string such as `request.GET`; what makes no sense is left out."""
        given = {name: query.get(name, "").strip()[:LONGEST] for name in ("tab", "view", *NARROWING)}
        tab, by = given["tab"] if given["tab"] in TABS else "mine", given["by"]
        since, until = _span(given["from"], given["to"])
        return cls(
            tab=tab,
            q=" ".join(given["q"].split()),
            app=given["app"],
            by=by if _is_id(by) and tab != "mine" else "",
            state=given["state"] if given["state"] in STATES else "",
            kind=given["kind"] if given["kind"] in KINDS else "",
            since=since,
            until=until,
            view="list" if given["view"] == "list" else "",
        )

    @classmethod
    def parse(cls, query: str) -> Self:
        """The filter of a query string as text."""
        return cls.read(QueryDict(query))

    @property
    def narrowing(self) -> dict[str, str]:
        """What narrows the list, under the names of the address."""
        values = {_NAMES.get(f.name, f.name): getattr(self, f.name) for f in fields(self)}
        return {name: values[name] for name in NARROWING if values[name]}

    @property
    def query(self) -> str:
        """The query string that reads as this filter; empty for the plain list of one's own runs."""
        tab = {"tab": self.tab} if self.tab != "mine" else {}
        view = {"view": self.view} if self.view else {}
        return urlencode(tab | self.narrowing | view)

    def url(self, **more: str) -> str:
        """Address of History with this filter and MORE, such as `before`."""
        query = "&".join(filter(None, [self.query, urlencode(more)]))
        return f"{reverse('runs:history')}?{query}" if query else reverse("runs:history")

    def without(self, *names: str) -> Self:
        """This filter with the values of NAMES (as in the address) taken away."""
        gone = {field: "" for field in (f.name for f in fields(self)) if _NAMES.get(field, field) in names}
        return replace(self, **gone)

    def runs(self, member: Member, directory: Directory) -> RunQuerySet:
        """The runs that MEMBER sees under this filter, in no order."""
        runs = _in_tab(self.tab, member)
        if self.app:
            runs = runs.filter(app_id=directory.app_key(self.app))
        if self.by:
            runs = runs.filter(member_id=directory.person_key(self.by))
        if self.state:
            runs = runs.in_state(self.state)
        if self.kind:
            runs = runs.filter(kinds__contains=f" {self.kind} ")
        if self.since:
            runs = runs.filter(created_at__gte=_start_of(self.since))
        if self.until:
            runs = runs.filter(created_at__lt=_start_of(self.until, days=1))
        for word in fold_words(self.q):
            runs = runs.filter(_holds(word, directory, is_mine=self.tab == "mine"))
        return runs


_NAMES = {"since": "from", "until": "to"}  # words that Python keeps for itself, or that say less there


def _is_id(text: str) -> bool:
    """Whether TEXT may be a public id; a plain number, as old addresses hold, counts as not given."""
    return text.isascii() and text.isalnum() and not text.isdigit()


def _span(since: str, until: str) -> tuple[str, str]:
    """The two days as they are, or the earlier one first: whoever mixes them up means the days between."""
    since, until = _day(since), _day(until)
    return (until, since) if since and until and _start_of(until) < _start_of(since) else (since, until)


def _day(text: str) -> str:
    """TEXT if it is a day. Years at either end of the calendar count as not given: the moment such a day begins may lie
    beyond it in UTC, and a database that asks for it there would fail."""
    try:
        found = parse_date(text)
    except ValueError:
        return ""
    return text if found and YEARS[0] <= found.year <= YEARS[1] else ""


def _start_of(day: str, days: int = 0) -> datetime:
    found = parse_date(day) or EPOCH.date()
    return timezone.make_aware(datetime.combine(found + timedelta(days=days), time.min))


def _in_tab(tab: str, member: Member) -> RunQuerySet:
    if tab == "team":
        return Run.objects.shared_by_others(member)
    return Run.objects.visible_to(member).filter(has_star=True) if tab == "starred" else Run.objects.owned_by(member)


def _holds(word: str, directory: Directory, *, is_mine: bool) -> Q:
    """Runs that hold WORD in what was typed, or whose maker or app is called so today. Among one's own runs the maker
    tells nothing: whoever is called Rose would find all of them by "rose"."""
    condition = Q(search_text__contains=word)
    if people := [] if is_mine else directory.people_called(word):
        condition |= Q(member_id__in=people)
    if apps := directory.apps_called(word):
        condition |= Q(app_id__in=apps)
    return condition
