"""Everything a History page needs besides the runs: the names of apps, people and saved views. One query reads it
all."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, Self
from unicodedata import east_asian_width

from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Subquery, TextField, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast
from django.db.models.lookups import IsNull
from django.utils import timezone
from django.utils.translation import gettext as _

from runs.history import review_filters
from runs.history.review_filters import ANYONE, ME, few_decided_on, only, with_decision_of
from runs.models import App, Member, Run, SavedView, Selection
from runs.models import search as words_index
from runs.models.distinct import distinct_values
from runs.models.prepared import Prepared
from runs.models.selection import KEPT_FOR
from runs.words import known_words
from runs.words.fold import fold
from runs.words.run_index import few_matching, few_runs, in_runs, query_of, too_many_for
from runs.words.terms import Ways, matcher, query_words, similar_ways_of, stored_words, ways_of

CHOICES = ("decider", "guest", "judge")  # for the filters "decided by" and "waiting for"
# For searches: similar known words, the runs that contain the words, whether there are too many such runs, and apps
# whose names may contain the words.
WORDS = ("word", "run", "many", "called")
SORTS = ("app", "person", "view", "selected", "own", "maker", "decided", "waited", "waiting", *CHOICES, *WORDS)
BY_NAME = ("app", "person", "view", "word", "guest")


@dataclass(frozen=True)
class Named:
    """One thing listed in the directory, such as an app, a person or a saved view. `id` is its public id; for a
    selection, it is the place.

    `detail` is a person's email, a view's query string, or "kept" for an app with runs outside the bin.
    """

    pk: int
    id: str
    name: str
    detail: str = ""


@dataclass(frozen=True)
class Directory:
    """Apps with runs, all people, and one member's saved views, each sorted by name."""

    apps: list[Named] = field(default_factory=list)
    people: list[Named] = field(default_factory=list)
    views: list[Named] = field(default_factory=list)
    similar: dict[str, tuple[str, ...]] = field(default_factory=dict)  # search word -> similar words that occur in runs
    selected: frozenset[str] = frozenset()  # places (`Selection.Place`) where the member has selected something
    has_own: bool = True  # False for viewers who own no runs
    transferred_by: frozenset[int] = frozenset()  # keys of people who made runs that now belong to someone else
    # Person -> keys of the runs they decided on, unless there are many
    decided: Mapping[str, frozenset[int]] = field(default_factory=dict)
    # Person -> keys of the runs waiting for them, unless there are many
    waiting: Mapping[str, frozenset[int]] = field(default_factory=dict)
    waited_for: Member | None = None  # member chosen in the filter "waiting for", if active; only key and role are set
    deciders: frozenset[int] = frozenset()  # keys of people who have ever decided
    judges: frozenset[int] = frozenset()  # keys of people who may decide
    guests: Mapping[str, str] = field(default_factory=dict)  # folded name of a guest who decided -> name as typed
    # For a search in Mine, all apps with runs, because the same search may be tried in Team too
    called: list[Named] = field(default_factory=list)
    # Full-text query -> keys of the runs that it finds; None if there are many
    having: Mapping[str, frozenset[int] | None] = field(default_factory=dict)

    @staticmethod
    def names(
        member: Member, since: datetime, q: str = "", *, is_mine: bool = False, decided: str = "", waits: str = ""
    ) -> "QuerySet[Any, tuple[Any, ...]]":
        """Return the query for the rows that `load` reads. It only includes those of the member's selections that have
        changed since `since`."""
        whose: dict[str, Any] = {"member": member.pk} if is_mine else {}
        used, used_apps = Run.objects.filter(app=OuterRef("pk"), **whose), distinct_values(Run, "app", **whose)
        # A subquery, because EXISTS would make the database collect the apps of all runs.
        first = Subquery(used.filter(deleted_at=None).values("pk")[:1])
        kept = Case(When(IsNull(first, rhs=False), then=Value("kept")), default=Value(""))
        apps = _rows("app", App.objects.filter(pk__in=used_apps), "public_id", "name", kept)
        people = _rows("person", Member.objects.all(), "public_id", "name", "email")
        views = _rows("view", SavedView.objects.owned_by(member), "public_id", "name", "query")
        ticked = Selection.objects.filter(member=member).current_since(since)
        selected = _rows("selected", ticked, "place", "place", "place")
        own = _rows(
            "own", Member.objects.filter(Exists(Run.objects.owned_by(member)), pk=member.pk), "name", "name", "name"
        )
        theirs = Run.objects.transferred().filter(made_by=OuterRef("pk"))
        makers = _rows("maker", Member.objects.filter(Exists(theirs)), "name", "name", "name")
        told = (Value("word", TextField()), Value(0), "asked", "known", Value("", TextField()))
        words = [query.order_by().values_list(*told) for query in known_words.candidates(query_words(q))]
        others = [people, views, selected, makers, *words, *([] if member.can_run else [own])]
        others += [
            _rows("decider", review_filters.people_who_decided(), "public_id", "public_id", "public_id"),
            _rows("judge", review_filters.people_who_may_decide(), "public_id", "public_id", "public_id"),
            _rows("guest", review_filters.guests_lately(member), "guest_key", "guest_name", "guest_name"),
        ]
        if waits in (ME, ANYONE):
            some = review_filters.few_waiting_for(member if waits == ME else None)
            others.append(_rows("waiting", some, "public_id", "public_id", "public_id"))
        exact = _exact_query(q)
        others += _runs_with(exact, member) if exact else []
        if exact and is_mine:
            everyones = App.objects.filter(pk__in=distinct_values(Run, "app"))
            others.append(_rows("called", everyones, "public_id", "name", "public_id"))
        if decided:
            others.append(_rows("decided", few_decided_on(decided), "batch", "batch", "batch", key="output__run"))
        if waits not in ("", ME, ANYONE):
            asked = Member.objects.filter(public_id=waits, is_active=True)
            others.append(_rows("waited", asked, "public_id", "role", "role"))
        return apps.union(*others, all=True).order_by()

    @classmethod
    def load(cls, member: Member, q: str = "", *, is_mine: bool = False, decided: str = "", waits: str = "") -> Self:
        """Read the names for `member` and the known words similar to those in `q`.

        With `is_mine`, read only the apps that this member has used. `decided` and `waits` are the values of the
        filters with those names.
        """
        since, exact = timezone.now() - KEPT_FOR, _exact_query(q)
        rows: Iterable[tuple[Any, ...]]
        if q or decided or waits:
            rows = cls.names(member, since, q, is_mine=is_mine, decided=decided, waits=waits)
        else:
            rows = _usual_names(member.role, is_mine).rows(member.pk, since)
        found: dict[str, list[Named]] = {sort: [] for sort in SORTS}
        for sort, *row in rows:
            named = Named(*row)
            if sort == "person":
                named = Named(named.pk, named.id, named.name or named.detail.split("@")[0], named.detail)
            found[sort].append(named)
        for sort in BY_NAME:
            found[sort].sort(key=lambda one: (fold(one.name), one.pk))
        similar = known_words.similar((one.id, one.name) for one in found["word"])
        waited_for = [Member(pk=one.pk, role=one.name) for one in found["waited"]]
        return cls(
            found["app"],
            found["person"],
            found["view"],
            similar,
            frozenset(one.id for one in found["selected"]),
            member.can_run or bool(found["own"]),
            frozenset(one.pk for one in found["maker"]),
            _few(decided, found["decided"]),
            _few(waits, found["waiting"]) if waits in (ME, ANYONE) else {},
            waited_for[0] if waited_for else None,
            frozenset(one.pk for one in found["decider"]),
            frozenset(one.pk for one in found["judge"]),
            {one.id: one.name for one in found["guest"]},
            found["called"],
            _having(exact, found["run"], found["many"]) if exact else {},
        )

    def with_app(self, public_id: str, member: Member, *, is_mine: bool) -> Self:
        """Return this directory including the app, even if the member hasn't used it. If `member` may neither open the
        app nor see any of its runs, leave it out instead.

        Takes a query, unless `is_mine` is set and the directory already has the app.
        """
        if not public_id or (is_mine and any(app.id == public_id for app in self.apps)):
            return self
        is_seen = Exists(Run.objects.visible_to(member).filter(app=OuterRef("pk")))
        is_theirs = Exists(Run.objects.filter(app=OuterRef("pk"), member=member))  # perhaps in the bin
        is_open = Q(pk__in=App.objects.open_to(member).filter(public_id=public_id).values("pk"))
        known = App.objects.filter(is_open | is_theirs | is_seen, public_id=public_id).order_by()
        found = [Named(pk, public_id, name) for pk, name in known.values_list("pk", "name")]
        is_new = all(app.id != public_id for app in self.apps)
        kept = [app for app in self.apps if app.id != public_id or found]
        return replace(self, apps=kept + found if is_new else kept)

    def with_words(self, queries: Iterable[str], member: Member) -> Self:
        """Return this directory, adding the runs that match each of `queries`, except for queries that match many runs.
        Takes one database query if any of `queries` is new."""
        new = [query for query in dict.fromkeys(queries) if query not in self.having]
        if not new:
            return self
        few = few_runs(new, member)
        return replace(self, having={**self.having, **{query: few.get(query) for query in new}})

    def with_all(self, asked: list[Ways]) -> Q:
        """Return a condition for runs whose words match everything in `asked`."""
        few = self.having.get(query_of(asked))
        return Q(in_runs(asked)) if few is None else only(few)

    def app_key(self, public_id: str) -> int:
        """Return the primary key of the app. If it isn't in the directory, return 0, which matches nothing."""
        return next((app.pk for app in self.apps if app.id == public_id), 0)

    def app_name(self, public_id: str) -> str:
        return next((app.name for app in self.apps if app.id == public_id), _("Unknown app"))

    def person_key(self, public_id: str) -> int:
        """Return the primary key of the person. If the person is unknown, return 0, which matches nobody."""
        return next((person.pk for person in self.people if person.id == public_id), 0)

    def of_people(self, people: list[int]) -> Q:
        """Return a condition for runs made or owned by any of `people` (primary keys).

        Nearly all runs still belong to their maker, so we only check the maker for people who made runs that someone
        else owns now.
        """
        condition = Q(member_id__in=people)
        if makers := self.transferred_by.intersection(people):
            condition |= Q(pk__in=Run.objects.transferred().filter(made_by__in=makers).values("pk"))
        return condition

    def decided_by(self, who: str, verdict: str) -> Q:
        """Return a condition for runs that `who` decided on. With a `verdict`, only decisions with that verdict
        count."""
        return with_decision_of(who, verdict, self.decided.get(who))

    def waiting_for(self, who: str, member: Member) -> Q:
        """Return a condition for runs with results that are waiting for `who`: `member`, anyone, or another person."""
        if who in self.waiting:
            return only(self.waiting[who])
        if who == ANYONE:
            return Q(pk__in=review_filters.waiting_for(None))
        person = member if who == ME else self.waited_for
        return Q(pk__in=[]) if person is None else Q(pk__in=review_filters.waiting_for(person))

    def person_name(self, public_id: str) -> str:
        return next((person.name for person in self.people if person.id == public_id), _("Unknown person"))

    def ways_of(self, word: str, *, is_similar: bool) -> Ways:
        """Return the ways to match `word` (folded) in a run. With `is_similar`, similar words match too."""
        return similar_ways_of(word, self.similar.get(word, ())) if is_similar else ways_of(word)

    def people_called(self, word: str) -> list[int]:
        """Return primary keys of people whose name contains a word that starts with `word` (folded).

        "an" finds Ann and Mary-Ann, but not Hannah. Chinese, Japanese and Korean names are written without spaces, so
        `word` may be anywhere in them.
        """
        start = "" if east_asian_width(word[:1] or " ") in ("W", "F") else r"(?<![^\W_])"
        begins = re.compile(start + re.escape(word))
        return [person.pk for person in self.people if begins.search(fold(person.name))]

    def apps_called(self, ways: Ways, *, is_mine: bool) -> list[int]:
        """Return primary keys of apps whose current name matches one of `ways`. With `is_mine`, apps that only other
        people use may be left out."""
        matches, apps = matcher(ways), self.apps if is_mine else self.called or self.apps
        return [app.pk for app in apps if matches(_stored_words(app.name))]


def _few(who: str, runs: list[Named]) -> dict[str, frozenset[int]]:
    """Return {who: keys of `runs`}; an empty dictionary if there are too many runs."""
    return {who: frozenset(run.pk for run in runs)} if len(runs) <= review_filters.FEW else {}


def _exact_query(q: str) -> str:
    """Return the full-text query for the exact words of the search `q`; "" if it has no words."""
    return query_of(map(ways_of, query_words(q))) if query_words(q) else ""


@cache
def _usual_names(role: str, is_mine: bool) -> Prepared[tuple[Any, ...]]:
    """Return the query that `Directory.load` runs for members with `role` if there is no search and no filter by
    person."""
    return Prepared(lambda member, since: Directory.names(Member(pk=member, role=role), since, is_mine=is_mine))


def _runs_with(query: str, member: Member) -> list[QuerySet[Any]]:
    """Return two queries: one for the runs that match `query`, and one that returns a row only if too many runs
    match."""
    return [
        _rows("run", few_matching(query), "public_id", "public_id", "public_id"),
        _rows("many", too_many_for(query, member), "public_id", "public_id", "public_id"),
    ]


def _having(query: str, runs: list[Named], many: list[Named]) -> dict[str, frozenset[int] | None]:
    """Return {query: keys of the runs that match it}, with None instead of the keys if there are many."""
    is_few = not many and len(runs) <= words_index.FEW
    return {query: frozenset(run.pk for run in runs) if is_few else None}


_stored_words = lru_cache(maxsize=4_096)(stored_words)


def _rows(sort: str, rows: QuerySet[Any], *columns: str | Combinable, key: str = "pk") -> QuerySet[Any]:
    """Return `rows` as (`sort`, `key`, *`columns`). All `columns` are cast to text, so that rows from different tables
    can be combined."""
    told = {f"column{n}": Cast(column, TextField()) for n, column in enumerate(columns)}
    named: QuerySet[Any] = rows.order_by().annotate(sort=Value(sort, TextField()), **told)
    return named.values_list("sort", key, *told)
