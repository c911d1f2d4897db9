"""What is looked up before a filter is applied, so that the database finds the runs faster."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from django.db.models import Q

from runs.history import review_filters
from runs.history.directory_rows import Rows, exact_query
from runs.history.review_filters import ANYONE, ME, only, with_decision_of
from runs.models import Member, Run
from runs.words import known_words
from runs.words.made_files import runs_with_file
from runs.words.run_index import few_runs, in_runs, query_of
from runs.words.terms import Ways, query_words, similar_ways_of, ways_of


@dataclass(frozen=True)
class Lookups:
    """What the values of one filter stand for: similar words, and the keys of the runs that they find, if these are
    few. The methods return conditions for runs."""

    similar: dict[str, tuple[str, ...]] = field(default_factory=dict)  # search word -> similar words that occur in runs
    transferred_by: frozenset[int] = frozenset()  # keys of people who made runs that now belong to someone else
    # Person -> keys of the runs they decided on, unless there are many
    decided: Mapping[str, frozenset[int]] = field(default_factory=dict)
    # Person -> keys of the runs waiting for them, unless there are many
    waiting: Mapping[str, frozenset[int]] = field(default_factory=dict)
    waited_for: Member | None = None  # member chosen in the filter "waiting for", if active; only key and role are set
    # Full-text query -> keys of the runs that it finds; None if there are many
    having: Mapping[str, frozenset[int] | None] = field(default_factory=dict)
    # Search -> keys of the runs with a file called that, if there are any
    with_file: Mapping[str, frozenset[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Rows, member: Member, q: str, decided: str, waits: str) -> Self:
        """Return what `rows` tell about the filters with these values."""
        exact, decided_on = exact_query(q), rows.runs_decided_on()
        waiting = rows.runs_waiting() if waits in (ME, ANYONE) else None
        with_file = runs_with_file(member, q)
        return cls(
            similar=known_words.similar_to(query_words(q)),
            transferred_by=rows.makers_of_transferred(),
            decided={} if decided_on is None else {decided: decided_on},
            waiting={} if waiting is None else {waits: waiting},
            waited_for=rows.waited_for(),
            having={exact: rows.runs_with_words()} if exact else {},
            with_file={q: with_file} if with_file else {},
        )

    def with_words(self, queries: Iterable[str], member: Member) -> Self:
        """Return these lookups, adding the runs that match each of `queries`, except for queries that match many runs.
        Takes one database query if any of `queries` is new."""
        new = [query for query in dict.fromkeys(queries) if query not in self.having]
        if not new:
            return self
        few = few_runs(new, member)
        return replace(self, having={**self.having, **{query: few.get(query) for query in new}})

    def ways_of(self, word: str, *, is_similar: bool) -> Ways:
        """Return the ways to match `word` (folded) in a run. With `is_similar`, similar words match too."""
        return similar_ways_of(word, self.similar.get(word, ())) if is_similar else ways_of(word)

    def with_all(self, all_ways: list[Ways]) -> Q:
        """Return a condition for runs whose words match everything in `all_ways`."""
        few = self.having.get(query_of(all_ways))
        return Q(in_runs(all_ways)) if few is None else only(few)

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
