"""History filters: read from a URL, written to a URL, and applied to runs.

Invalid values in a query string are ignored. Runs are sorted newest first. Each page starts from the last run of the
previous one (`order.Cursor`), so page 1,000 costs no more than page 1. A query first finds the ids for a page in an
index with every column that a filter uses (`Run.Meta`), so even a combination of filters without any matches reads only
the index, never the rows.

Words are looked up in a database index (`models.search.RunWords`) of each run's words and their stems. The portal
computes words and stems itself, so that SQLite and PostgreSQL find the same runs. If no run contains all the words,
`widen` decides what to do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any, Self
from urllib.parse import urlencode

from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_noop, pgettext_lazy

from runs.history.filter_choices import Directory
from runs.history.review_filters import ANYONE, DECISIONS, GUEST, ME, ONE_GUEST, only
from runs.models import Member, Run, Selection
from runs.models.addresses import path_to
from runs.models.output import OutputQuerySet
from runs.models.run import RunQuerySet
from runs.words.run_index import query_of
from runs.words.run_states import STATES
from runs.words.synonyms import kind_named
from runs.words.terms import Ways, query_words

TABS = ("mine", "team", "starred")
VIEWS = ("list", "results")  # besides the default view, which shows pictures
KINDS = {
    "image": gettext_noop("Pictures"),
    "video": gettext_noop("Videos"),
    "audio": gettext_noop("Audio"),
    "text": gettext_noop("Texts"),
}
DRAFT = "draft"
# What people choose from as a run's state. Drafts are no runs: the list then shows drafts instead (`open_drafts`).
STATE_CHOICES = {**STATES, DRAFT: pgettext_lazy("state of a run", "Not started yet")}
# Names of filters in the URL, in the order of their chips. A new one also needs a field and a condition in `Filter`,
# its words in `filter_bar`, and its input in templates/history/_filters.html.
CONDITIONS = ("q", "app", "by", "state", "kind", "decision", "decided", "waits", "from", "to", "selected")
LONGEST = 200
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
YEARS = (1900, 9998)


@dataclass(frozen=True)
class Filter:
    """The filter in History's URL. Empty values mean "any"."""

    tab: str = "mine"
    q: str = ""
    app: str = ""  # public id of an app
    by: str = ""  # public id of a member who made or owns the run
    state: str = ""  # a state of runs, or `DRAFT` for forms that haven't been run yet
    kind: str = ""
    decision: str = ""  # a verdict; or "none" for runs with a result that has no verdict
    decided: str = ""  # public id of a member who decided on a result, "guest", or "guest:" and a folded name
    waits: str = ""  # whose verdict a result is waiting for: "me", "anyone", or a member's public id
    since: str = ""  # a day such as "2026-11-24"; called `from` in the URL
    until: str = ""  # a day (inclusive); called `to` in the URL
    selected: str = ""  # "1" for the runs that the member has selected in this tab, or for their selected results
    view: str = ""  # "list", "results" for single results, or empty for pictures
    is_similar: bool = False  # similar words match too

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Self:
        """Read the filter from a query string such as `request.GET`, ignoring invalid values."""
        values = {name: query.get(name, "").strip()[:LONGEST] for name in ("tab", "view", *CONDITIONS)}
        tab, by = values["tab"] if values["tab"] in TABS else "mine", values["by"]
        since, until = _span(values["from"], values["to"])
        return cls(
            tab=tab,
            q=" ".join(values["q"].split()),
            app=values["app"],
            by=by if _is_id(by) and tab != "mine" else "",
            state=values["state"] if values["state"] in state_choices(tab) else "",
            kind=values["kind"] if values["kind"] in KINDS else "",
            decision=values["decision"] if values["decision"] in DECISIONS else "",
            decided=values["decided"] if _is_decider(values["decided"]) else "",
            waits=values["waits"] if values["waits"] in (ME, ANYONE) or _is_id(values["waits"]) else "",
            since=since,
            until=until,
            selected="1" if values["selected"] == "1" else "",
            view=values["view"] if values["view"] in VIEWS else "",
            is_similar=bool(values["q"]) and query.get("similar") == "1",
        )

    @classmethod
    def parse(cls, query: str) -> Self:
        """Read the filter from a query string given as text, ignoring invalid values."""
        return cls.read(QueryDict(query))

    @property
    def conditions(self) -> dict[str, str]:
        """The filter values that narrow the list, keyed by their names in the URL."""
        values = {_NAMES.get(f.name, f.name): getattr(self, f.name) for f in fields(self)}
        return {name: values[name] for name in CONDITIONS if values[name]}

    @property
    def place(self) -> str:
        """Where this filter's selection is kept (`Selection.Place`): each tab has a place for its runs, and single
        results from all tabs share one."""
        return Selection.Place.RESULTS.value if self.view == "results" else self.tab

    @property
    def is_drafts(self) -> bool:
        """Whether this filter shows drafts, which are no runs."""
        return self.state == DRAFT

    @property
    def is_search(self) -> bool:
        """Whether this filter has words or decisions, so that finding even a single run may take a long time."""
        return bool(self.q or self.decision or self.decided or self.waits)

    @property
    def is_selected_results(self) -> bool:
        """Whether this filter shows the selected results, whichever tab their runs are in."""
        return bool(self.selected) and self.view == "results"

    @property
    def query(self) -> str:
        """The query string of this filter; empty for the unfiltered list of a member's own runs."""
        tab = {"tab": self.tab} if self.tab != "mine" else {}
        view = {"view": self.view} if self.view else {}
        similar = {"similar": "1"} if self.q and self.is_similar else {}
        return urlencode(tab | self.conditions | similar | view)

    def url(self, **more: str) -> str:
        """Return the URL of History with this filter and `more` parameters, such as `before`."""
        query = "&".join(filter(None, [self.query, urlencode(more)]))
        return f"{path_to('history')}?{query}" if query else path_to("history")

    def without(self, *names: str) -> Self:
        """Return this filter without the filters called `names` in the URL."""
        gone: dict[str, Any] = {f.name: "" for f in fields(self) if _NAMES.get(f.name, f.name) in names}
        return replace(self, **gone)

    def on_tab(self, tab: str) -> Self:
        """Return this filter on another tab, without those filters that make no sense there."""
        state = self.state if self.state in state_choices(tab) else ""
        there = replace(self, tab=tab, by="" if tab == "mine" else self.by, state=state)
        return there.without("selected") if self.is_selected_results else there

    def in_view(self, view: str) -> Self:
        """Return this filter in another view, without "selected" if the other view has a different selection."""
        other = replace(self, view=view)
        return other if other.place == self.place else other.without("selected")

    def by_kind_named(self) -> list[tuple[str, Self]]:
        """Return the kinds of result named in the search, such as "video", each with this filter narrowed to that
        kind."""
        if self.kind:
            return []
        parts = self.q.split()
        kinds = {kind: part for part in parts for word in query_words(part) if (kind := kind_named(word))}
        return [
            (kind, replace(self, kind=kind, q=" ".join(other for other in parts if other != part)))
            for kind, part in kinds.items()
        ]

    def directory(self, member: Member) -> Directory:
        """Return the directory to apply and show this filter with. It has looked up this filter's words, and reads
        everything else when needed."""
        directory = Directory(member, self.q, is_mine=self.tab == "mine", app=self.app)
        directory.lookups.look_up(self.word_queries(member, directory))
        return directory

    def runs(self, member: Member, directory: Directory) -> RunQuerySet:
        """Return the runs that match this filter and that `member` may see, in no particular order."""
        if self.is_drafts:
            return Run.objects.none()
        runs = Run.objects.visible_to(member) if self.is_selected_results else _in_tab(self.tab, member)
        if self.view == "results":
            runs = runs.filter(outputs_ready__gt=0)
        if self.app:
            runs = runs.filter(app_id=directory.app_key(self.app))
        if self.by:
            runs = runs.filter(directory.lookups.of_people([directory.person_key(self.by)]))
        if self.state:
            runs = runs.in_state(self.state)
        if self.kind:
            runs = runs.filter(kinds__contains=f" {self.kind} ")
        if self.decision:
            runs = runs.filter(verdicts__contains=f" {self.decision} ")
        if self.decided:
            runs = runs.filter(directory.lookups.decided_by(self.decided, self.decision))
        if self.waits:
            runs = runs.filter(directory.lookups.waiting_for(self.waits))
        if self.since:
            runs = runs.filter(created_at__gte=_start_of(self.since))
        if self.until:
            runs = runs.filter(created_at__lt=_start_of(self.until, days=1))
        if self.selected:
            ticked = "outputs__run" if self.view == "results" else "runs"
            runs = runs.filter(pk__in=Selection.objects.open(member, self.place).values(ticked))
        return self._with_words(runs, member, directory) if self.q else runs

    def results(self, outputs: OutputQuerySet) -> OutputQuerySet:
        """Return those of `outputs` that can be selected and that have the kind and verdict that this filter asks
        for."""
        outputs = outputs.with_content().filter(removed_at=None)
        if self.kind:
            outputs = outputs.filter(kind=self.kind)
        if self.decision:
            outputs = outputs.filter(verdict="" if self.decision == "none" else self.decision)
        return outputs

    def is_in_days(self, at: datetime) -> bool:
        """Return whether `at` is between this filter's days."""
        is_late_enough = not self.since or at >= _start_of(self.since)
        return is_late_enough and (not self.until or at < _start_of(self.until, days=1))

    @property
    def words(self) -> list[str]:
        """The words to search for, folded."""
        return query_words(self.q)

    def _with_words(self, runs: RunQuerySet, member: Member, directory: Directory) -> RunQuerySet:
        """Return those of `runs` that contain all the words, in their text or in the current name of their maker, owner
        or app; or those with a file called that, if there are any.

        In a member's own runs, their own name doesn't count: otherwise, if Rose searched for "rose", she would find all
        her runs. The names of others count for runs that they made and that were transferred to her.
        """
        if not self.words:
            return runs.filter(pk=0)
        if with_file := directory.lookups.with_file(self.q):
            return runs.filter(only(with_file))
        required, either = self._required_words(member, directory)
        for ways, other in either:
            runs = runs.filter(directory.lookups.with_all([ways]) | other)
        return runs.filter(directory.lookups.with_all(required)) if required else runs

    def _required_words(self, member: Member, directory: Directory) -> tuple[list[Ways], list[tuple[Ways, Q]]]:
        """Return the words that runs must contain, and the words that may match something else instead, such as a
        person's name, each with the condition for that."""
        required, either = [], []
        for word in self.words:
            ways = directory.lookups.ways_of(word, is_similar=self.is_similar)
            people = directory.people_called(word)
            if self.tab in ("mine", "both"):
                people = [person for person in people if person != member.pk]
            if people and self.tab == "mine":  # others own none of these runs
                people = [person for person in people if person in directory.lookups.transferred_by]
            apps = directory.apps_called(ways, is_mine=self.tab == "mine")
            other = directory.lookups.of_people(people) | Q(app_id__in=apps)
            if self.is_similar and (kind := kind_named(word)):
                other |= Q(kinds__contains=f" {kind} ")
            if other == Q(member_id__in=[]) | Q(app_id__in=[]):
                required.append(ways)
            else:
                either.append((ways, other))
        return required, either

    def has_few(self, member: Member, directory: Directory) -> bool:
        """Return whether so few runs contain this filter's words that `directory` already lists them all."""
        required, either = self._required_words(member, directory)
        return bool(required) and not either and directory.lookups.few_with_all(required) is not None

    def word_queries(self, member: Member, directory: Directory) -> list[str]:
        """Return the full-text queries for this filter's words, for `Lookups.look_up`."""
        required, either = self._required_words(member, directory)
        return [query_of(one) for one in (required, *([ways] for ways, _other in either)) if one]


def state_choices(tab: str) -> dict[str, Any]:
    """Return the states to choose from on `tab`, with their names. Only a member's own list can show drafts."""
    return STATE_CHOICES if tab == "mine" else STATES


_NAMES = {"since": "from", "until": "to"}  # `from` is a Python keyword, and `to` on its own would be unclear in code


def _is_id(text: str) -> bool:
    """Return whether `text` may be a public id. A plain number isn't one."""
    return text.isascii() and text.isalnum() and not text.isdigit()


def _is_decider(text: str) -> bool:
    return text == GUEST or text.startswith(ONE_GUEST) or _is_id(text)


def _span(since: str, until: str) -> tuple[str, str]:
    """Return both days (each "" if invalid), swapped if they are in the wrong order."""
    since, until = _day(since), _day(until)
    return (until, since) if since and until and _start_of(until) < _start_of(since) else (since, until)


def _day(text: str) -> str:
    """Return `text` if it is a valid day, otherwise "".

    Years outside `YEARS` are rejected, because a day at either end of the calendar may start outside it in UTC, which
    the database can't handle.
    """
    try:
        day = parse_date(text)
    except ValueError:
        return ""
    return text if day and YEARS[0] <= day.year <= YEARS[1] else ""


def _start_of(day: str, days: int = 0) -> datetime:
    first_day = parse_date(day) or EPOCH.date()
    return timezone.make_aware(datetime.combine(first_day + timedelta(days=days), time.min))


def _in_tab(tab: str, member: Member) -> RunQuerySet:
    if tab == "both":  # used by the search on Home; never in a URL
        return Run.objects.own_or_shared(member)
    if tab == "team":
        return Run.objects.shared_by_others(member)
    return Run.objects.own_or_shared(member).filter(has_star=True) if tab == "starred" else Run.objects.owned_by(member)
