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

from django.db.models import Exists, OuterRef, Q, Subquery
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date

from runs.history.directory import Directory
from runs.models import Member, Output, Run
from runs.models.run import RunQuerySet
from runs.words.fold import fold_words
from runs.words.sentences import STATES

TABS = {"mine": "Mine", "team": "Team", "starred": "Starred"}
KINDS = {"image": "Pictures", "video": "Videos", "audio": "Sound", "text": "Texts"}
NARROWING = ("q", "app", "by", "state", "kind", "from", "to")  # names in the address, in the order of the chips
PAGE = 24
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


@dataclass(frozen=True)
class Cursor:
    """A place in the list: just beside one run, even when that run is gone by now."""

    at: datetime
    public_id: str

    @classmethod
    def of(cls, run: Run) -> Self:
        return cls(run.created_at, run.public_id)

    @classmethod
    def read(cls, text: str) -> "Cursor | None":
        """The cursor of an address; None when there is none or it makes no sense."""
        micros, _, public_id = text[:40].partition("-")
        if not (micros.isascii() and micros.isdigit() and len(micros) <= 16):
            return None
        return cls(EPOCH + timedelta(microseconds=int(micros)), public_id)

    def __str__(self) -> str:
        return f"{(self.at - EPOCH) // timedelta(microseconds=1)}-{self.public_id}"

    def older(self, runs: RunQuerySet) -> RunQuerySet:
        """Those of RUNS that come after this place in the list. The plain bound is what SQLite's index can use."""
        same_moment = Q(created_at=self.at, pk__lt=self._key())
        return runs.filter(Q(created_at__lt=self.at) | same_moment, created_at__lte=self.at)

    def newer(self, runs: RunQuerySet) -> RunQuerySet:
        """Those of RUNS that come before this place in the list."""
        same_moment = Q(created_at=self.at, pk__gt=self._key())
        return runs.filter(Q(created_at__gt=self.at) | same_moment, created_at__gte=self.at)

    def _key(self) -> Subquery:
        """Number of the run; none when it is gone, and then only its own very microsecond is passed over."""
        return Subquery(Run.objects.filter(public_id=self.public_id).values("pk")[:1])


@dataclass(frozen=True)
class Page:
    """One page of runs, and where the list goes on in both directions (empty where it does not)."""

    runs: list[Run]
    older: str = ""
    newer: str = ""


def page_of(runs: RunQuerySet, before: Cursor | None = None, after: Cursor | None = None, size: int = PAGE) -> Page:
    """The page of RUNS that follows BEFORE, or the one that leads up to AFTER; else the first."""
    if after is not None:
        found = _fetch(after.newer(runs), size + 1, is_newest_first=False)
        if len(found) > size:
            shown = found[1:]
            return Page(shown, str(Cursor.of(shown[-1])), str(Cursor.of(shown[0])))
        before = None  # the first page is shown whole, not as a remainder
    found = _fetch(before.older(runs) if before else runs, size + 1)
    shown = found[:size]
    older = str(Cursor.of(shown[-1])) if len(found) > size else ""
    return Page(shown, older, str(Cursor.of(shown[0])) if before and shown else "")


def _fetch(runs: RunQuerySet, count: int, *, is_newest_first: bool = True) -> list[Run]:
    """COUNT of RUNS for cards, newest first whichever end they were taken from."""
    order = ("-created_at", "-pk") if is_newest_first else ("created_at", "pk")
    ids = runs.order_by(*order).values("pk")[:count]
    return list(Run.objects.filter(pk__in=ids).newest_first().for_cards())


@dataclass(frozen=True)
class Neighbours:
    """What stands beside a result in the list: NEWER comes before it, OLDER after it."""

    newer: Output | None = None
    older: Output | None = None


def outputs_beside(output: Output, found: Filter, member: Member) -> Neighbours:
    """The results before and after OUTPUT when one looks through the list of FOUND, run by run."""
    done = Output.objects.filter(status=Output.Status.COMPLETED)
    siblings = done.filter(run=output.run_id)
    newer = siblings.filter(position__lt=output.position).order_by("-position").first()
    older = siblings.filter(position__gt=output.position).order_by("position").first()
    if newer and older:
        return Neighbours(newer, older)
    runs = found.runs(member, Directory.load(member)).filter(Exists(done.filter(run=OuterRef("pk"))))
    cursor = Cursor.of(output.run)
    if newer is None and (run := _next(cursor.newer(runs), "created_at", "pk")):
        newer = done.filter(run=run).order_by("-position").first()
    if older is None and (run := _next(cursor.older(runs))):
        older = done.filter(run=run).order_by("position").first()
    return Neighbours(newer, older)


def _next(runs: RunQuerySet, *order: str) -> Run | None:
    return runs.order_by(*(order or ("-created_at", "-pk"))).first()
