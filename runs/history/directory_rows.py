"""The rows that `Directory` is read from. One query reads them all, because every History page needs them: a UNION of
many sorts of row. Each sort has a reader in `Rows`, which knows what the columns of that sort mean."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Exists, OuterRef, QuerySet, Subquery, TextField, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast
from django.db.models.lookups import IsNull
from django.utils import timezone

from runs.history import review_filters
from runs.history.review_filters import ANYONE, ME
from runs.models import App, Member, ReviewRules, Run, SavedView, Selection
from runs.models import search as words_index
from runs.models.distinct import distinct_values
from runs.models.selection import KEPT_FOR
from runs.words.fold import fold
from runs.words.run_index import few_matching, query_of, too_many_for
from runs.words.terms import query_words, ways_of

TEXTS = 3  # how many texts each row has

type Row = tuple[str, int, str, str, str]  # a sort, a primary key, and texts
type RowsQuery = QuerySet[Any, Row]  # of any table


@dataclass(frozen=True)
class Named:
    """An app, a person or a saved view. `id` is its public id.

    `detail` is a person's email, a view's query string, or "kept" for an app with runs outside the bin.
    """

    pk: int
    id: str
    name: str
    detail: str = ""


class Rows:
    """The rows that were found, to be read one sort at a time. `_usual_rows` and `_search_rows` say what each sort
    contains."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._by_sort: dict[str, list[tuple[int, str, str, str]]] = defaultdict(list)
        for sort, pk, first, second, third in rows:
            self._by_sort[sort].append((pk, first, second, third))

    def apps(self) -> list[Named]:
        return _by_name(Named(*row) for row in self._by_sort["app"])

    def people(self) -> list[Named]:
        rows = self._by_sort["person"]
        return _by_name(Named(pk, public_id, name or email.split("@")[0], email) for pk, public_id, name, email in rows)

    def views(self) -> list[Named]:
        return _by_name(Named(*row) for row in self._by_sort["view"])

    def guests(self) -> dict[str, str]:
        """Return {folded name: name as typed}, sorted by name."""
        rows = sorted(self._by_sort["guest"], key=lambda row: (fold(row[2]), row[0]))
        return {key: name for _pk, key, name, _same in rows}

    def deciders(self) -> frozenset[int]:
        return self._keys("decider")

    def judges(self) -> frozenset[int]:
        return self._keys("judge")

    def places_selected(self) -> frozenset[str]:
        return frozenset(place for _pk, place, *_same in self._by_sort["selected"])

    def has_own(self) -> bool:
        return bool(self._by_sort["own"])

    def makers_of_transferred(self) -> frozenset[int]:
        return self._keys("maker")

    def apps_of_everyone(self) -> list[Named]:
        return [Named(pk, public_id, name) for pk, public_id, name, _same in self._by_sort["called"]]

    def runs_with_words(self) -> frozenset[int] | None:
        """Return the keys of the runs with all words exactly; None if there are many."""
        return None if self._by_sort["many"] else self._few_keys("run", words_index.FEW)

    def runs_decided_on(self) -> frozenset[int] | None:
        """Return the keys of the runs that the chosen person has decided on; None if there are many."""
        return self._few_keys("decided", review_filters.FEW)

    def runs_waiting(self) -> frozenset[int] | None:
        """Return the keys of the runs that wait for the member or for anyone, as asked; None if there are many."""
        return self._few_keys("waiting", review_filters.FEW)

    def waited_for(self) -> Member | None:
        """Return the person chosen in the filter "waiting for", with only their key and role."""
        return next((Member(pk=pk, role=role) for pk, _public_id, role, _same in self._by_sort["waited"]), None)

    def _keys(self, sort: str) -> frozenset[int]:
        return frozenset(pk for pk, *_texts in self._by_sort[sort])

    def _few_keys(self, sort: str, few: int) -> frozenset[int] | None:
        return self._keys(sort) if len(self._by_sort[sort]) <= few else None


def _by_name(named: Iterable[Named]) -> list[Named]:
    return sorted(named, key=lambda one: (fold(one.name), one.pk))


def read_rows(member: Member, q: str = "", *, is_mine: bool = False, decided: str = "", waits: str = "") -> Rows:
    """Read the rows for `member`.

    `q`, `decided` and `waits` are the values of the filters with those names. With `is_mine`, read only the apps that
    this member has used.
    """
    usual = _usual_rows(member, is_mine, waits if waits in (ME, ANYONE) else "")
    also = _search_rows(member, q, is_mine=is_mine, decided=decided, waits=waits)
    return Rows(usual[0].union(*usual[1:], *also, all=True).order_by())


def _usual_rows(member: Member, is_mine: bool, waits: str) -> list[RowsQuery]:
    """Return the rows that every page needs, whatever the search. `waits` is empty, `ME` or `ANYONE`. Selections count
    only if they were made in this browser lately."""
    selections = Selection.objects.filter(member=member, browser=member.browser)
    queries = [
        _apps_with_runs(member if is_mine else None),
        _rows("person", Member.objects.all(), "public_id", "name", "email"),
        _rows("view", SavedView.objects.owned_by(member), "public_id", "name", "query"),
        _rows("selected", selections.current_since(timezone.now() - KEPT_FOR), "place"),
        _makers_of_transferred(),
        _rows("decider", review_filters.people_who_decided(), "public_id"),
        _rows("judge", ReviewRules.who_may_decide(), "public_id"),
        _rows("guest", review_filters.guests_lately(member), "guest_key", "guest__name"),
    ]
    if not member.can_run:
        is_owner = Exists(Run.objects.owned_by(member))
        queries.append(_rows("own", Member.objects.filter(is_owner, pk=member.pk), "name"))
    if waits:
        some = review_filters.few_waiting_for(member if waits == ME else None)
        queries.append(_rows("waiting", some, Value("")))
    return queries


def _search_rows(member: Member, q: str, *, is_mine: bool, decided: str, waits: str) -> list[RowsQuery]:
    """Return the extra queries that the search `q`, and the filters by who decided and who is waited for, need."""
    queries = []
    if exact := exact_query(q):
        queries.append(_rows("run", few_matching(exact), Value("")))
        queries.append(_rows("many", too_many_for(exact, member), "public_id"))  # one row if there are too many runs
        if is_mine:
            queries.append(_apps_of_everyone())
    if decided:
        queries.append(_rows("decided", review_filters.few_decided_on(decided), "batch", key="output__run"))
    if waits not in ("", ME, ANYONE):
        deciders = Member.objects.filter(public_id=waits, is_active=True)
        queries.append(_rows("waited", deciders, "public_id", "role"))
    return queries


def exact_query(q: str) -> str:
    """Return the full-text query for the exact words of the search `q`; "" if it has no words."""
    return query_of(map(ways_of, query_words(q))) if query_words(q) else ""


def _apps_with_runs(member: Member | None) -> RowsQuery:
    """Return the apps with runs, of only `member` or (None) of anyone, and whether any of these runs is outside the
    bin."""
    whose = {"member": member.pk} if member else {}
    used, used_apps = Run.objects.filter(app=OuterRef("pk"), **whose), distinct_values(Run, "app", **whose)
    # A subquery, because EXISTS would make the database collect the apps of all runs.
    first = Subquery(used.filter(deleted_at=None).values("pk")[:1])
    is_current = Case(When(IsNull(first, rhs=False), then=Value("kept")), default=Value(""))
    return _rows("app", App.objects.filter(pk__in=used_apps), "public_id", "name", is_current)


def _apps_of_everyone() -> RowsQuery:
    """Return all apps with runs, for a search in Mine: the same search may be tried in Team, too."""
    everyones = App.objects.filter(pk__in=distinct_values(Run, "app"))
    return _rows("called", everyones, "public_id", "name", "public_id")


def _makers_of_transferred() -> RowsQuery:
    theirs = Run.objects.transferred().filter(made_by=OuterRef("pk"))
    return _rows("maker", Member.objects.filter(Exists(theirs)), "name")


def _rows(sort: str, rows: QuerySet[Any], *texts: str | Combinable, key: str = "pk") -> RowsQuery:
    """Return `rows` as (`sort`, `key`, *`texts`). All `texts` are cast to text, and the last one is repeated if there
    are fewer than `TEXTS`, so that rows from different tables can be combined."""
    padded = [*texts, *[texts[-1]] * (TEXTS - len(texts))]
    columns = {f"column{n}": Cast(text, TextField()) for n, text in enumerate(padded)}
    named: RowsQuery = (
        rows.order_by().annotate(sort=Value(sort, TextField()), **columns).values_list("sort", key, *columns)
    )
    return named
