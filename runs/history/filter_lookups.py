"""What is looked up before a filter is applied, so that the database finds the runs faster."""

from collections.abc import Iterable
from functools import cached_property

from django.db.models import Exists, OuterRef, Q

from runs.history import review_filters
from runs.history.review_filters import ANYONE, ME, only, with_decision_of
from runs.models import Member, Run
from runs.words import known_words
from runs.words.made_files import runs_with_file
from runs.words.run_index import few_runs, in_runs, query_of
from runs.words.terms import Ways, query_words, similar_ways_of, ways_of


class Lookups:
    """What the values of one filter stand for: similar words, and the keys of the runs that they find, if these are
    few. Each is looked up when it is first asked for. Most methods return conditions for runs."""

    def __init__(self, member: Member, q: str) -> None:
        self._member, self._q = member, q
        # Full-text query -> keys of the runs that it finds; None if there are many
        self._few: dict[str, frozenset[int] | None] = {}
        # Whose decisions, or whose verdict is awaited -> keys of the runs; None if there are many
        self._decided: dict[str, frozenset[int] | None] = {}
        self._waiting: dict[str, frozenset[int] | None] = {}

    @cached_property
    def similar(self) -> dict[str, tuple[str, ...]]:
        """The similar words that occur in runs, for each word of the search."""
        return known_words.similar_to(query_words(self._q))

    @cached_property
    def transferred_by(self) -> frozenset[int]:
        """The keys of people who made runs that now belong to someone else."""
        theirs = Run.objects.transferred().filter(made_by=OuterRef("pk"))
        return frozenset(Member.objects.filter(Exists(theirs)).values_list("pk", flat=True))

    @cached_property
    def _with_file(self) -> frozenset[int]:
        return runs_with_file(self._member, self._q)

    def with_file(self, q: str) -> frozenset[int]:
        """Return the keys of the runs with a file called `q`, if that's what the filter searches for."""
        return self._with_file if q == self._q else frozenset()

    def look_up(self, queries: Iterable[str]) -> None:
        """Look up which runs match each of the full-text `queries`. Takes one database query if any of them is new."""
        if new := [query for query in dict.fromkeys(queries) if query not in self._few]:
            few = few_runs(new, self._member)
            self._few |= {query: few.get(query) for query in new}

    def few_with_all(self, all_ways: list[Ways]) -> frozenset[int] | None:
        """Return the keys of the runs whose words match everything in `all_ways`; None if there are many, or if that
        wasn't looked up."""
        return self._few.get(query_of(all_ways))

    def with_all(self, all_ways: list[Ways]) -> Q:
        """Return a condition for runs whose words match everything in `all_ways`."""
        few = self.few_with_all(all_ways)
        return Q(in_runs(all_ways)) if few is None else only(few)

    def ways_of(self, word: str, *, is_similar: bool) -> Ways:
        """Return the ways to match `word` (folded) in a run. With `is_similar`, similar words match too."""
        return similar_ways_of(word, self.similar.get(word, ())) if is_similar else ways_of(word)

    def of_people(self, people: list[int]) -> Q:
        """Return a condition for runs made or owned by any of `people` (primary keys).

        Nearly all runs still belong to their maker, so we only check the maker for people who made runs that someone
        else owns now.
        """
        condition = Q(member_id__in=people)
        if people and (makers := self.transferred_by.intersection(people)):
            condition |= Q(pk__in=Run.objects.transferred().filter(made_by__in=makers).values("pk"))
        return condition

    def decided_by(self, who: str, verdict: str) -> Q:
        """Return a condition for runs that `who` decided on. With a `verdict`, only decisions with that verdict
        count."""
        if who not in self._decided:
            runs = review_filters.few_decided_on(who).values_list("output__run", flat=True)
            self._decided[who] = review_filters.if_few(runs)
        return with_decision_of(who, verdict, self._decided[who])

    def waiting_for(self, who: str) -> Q:
        """Return a condition for runs with results that are waiting for `who`: the member, anyone, or another
        person."""
        if who not in (ME, ANYONE):
            person = Member.objects.filter(public_id=who, is_active=True).first()
            return Q(pk__in=[]) if person is None else Q(pk__in=review_filters.waiting_for(person))
        someone = self._member if who == ME else None
        if who not in self._waiting:
            runs = review_filters.few_waiting_for(someone).order_by().values_list("pk", flat=True)
            self._waiting[who] = review_filters.if_few(runs)
        few = self._waiting[who]
        return Q(pk__in=review_filters.waiting_for(someone)) if few is None else only(few)
