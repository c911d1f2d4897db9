"""Search in the library. Words are matched the same way as in History.

For results, a search matches their run's words (which are indexed) and their label; for uploads, it matches the name.
Labels and names are short and not indexed, so a search word can also match part of a word in them. There are only a few
distinct labels, so words are compared with the labels before any results are searched.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from django.db.models import Q
from django.db.models.functions import Substr
from django.db.models.lookups import In

from runs.models import Member
from runs.models.distinct import labels_of_results
from runs.models.output import LABEL_START
from runs.words.highlight import NONE, Marker
from runs.words.known_words import similar_to
from runs.words.made_files import runs_with_file
from runs.words.run_index import few_runs, in_runs, query_of
from runs.words.terms import Ways, query_words, similar_ways_of, ways_of

MOST_LABELS = 500
NOTHING = Q(pk__in=[])


@dataclass(frozen=True)
class LibrarySearch:
    """The words to look for, and the ways each of them can match. If there are no words, everything matches.

    With `is_similar`, similar words match too, and typos are corrected.
    """

    q: str = ""
    all_ways: list[Ways] = field(default_factory=list)
    is_similar: bool = False
    marker: Marker = NONE
    # Full-text query -> keys of the runs it finds, if there are only a few
    few: Mapping[str, frozenset[int]] = field(default_factory=dict)
    with_file: frozenset[int] = frozenset()  # keys of the runs with a file called `q`
    labels: list[str] | None = None  # start of every result label; None if there are too many to read

    @classmethod
    def read(cls, q: str, *, is_similar: bool = False) -> Self:
        """Break what was typed into words, and work out how each can match. Makes one query if there are any words."""
        words = query_words(q)
        similar = similar_to(words)
        ways = [similar_ways_of(word, similar.get(word, ())) if is_similar else ways_of(word) for word in words]
        return cls(q, ways, is_similar, Marker.of(words, similar))

    def looked_up(self, member: Member) -> Self:
        """Return this search with the data it needs to find results: the matching runs for words that only a few runs
        contain, and the result labels. Makes two queries, or up to five if `q` may be the name of a file."""
        if not self.all_ways:
            return self
        few = few_runs([query_of([ways]) for ways in self.all_ways], member)
        with_file = runs_with_file(member, self.q)
        return replace(self, few=few, with_file=with_file, labels=labels_of_results(MOST_LABELS))

    def in_results(self) -> Q:
        """Return a condition for results (`OutputFile`) whose run or label contains all the words, or whose run has a
        file called that."""
        if self.q and not self.all_ways:
            return Q(pk__in=[])
        if self.with_file:
            return Q(output__run__in=self.with_file)
        condition = Q()
        for ways in self.all_ways:
            few = self.few.get(query_of([ways]))
            in_run = Q(in_runs([ways], "output__run_id")) if few is None else Q(output__run__in=few)
            condition &= in_run | self._in_label(ways)
        return condition

    def _in_label(self, ways: Ways) -> Q:
        """Return a condition for results whose label matches. The condition lists the labels that may match, so that
        the database knows where to look."""
        matching = _in_text("output__search_text", ways)
        if self.labels is None:
            return matching
        may_match = [
            label
            for label in self.labels
            if len(label) == LABEL_START or any(all(token.text in label for token in way) for way in ways)
        ]
        return matching & Q(In(Substr("output__search_text", 1, LABEL_START), may_match)) if may_match else NOTHING

    def in_uploads(self) -> Q:
        """Return a condition for uploads whose name contains all the words."""
        if self.q and not self.all_ways:
            return Q(pk__in=[])
        condition = Q()
        for ways in self.all_ways:
            condition &= _in_text("search_text", ways)
        return condition


def _in_text(column: str, ways: Ways) -> Q:
    """Return a condition for rows whose folded text in `column` contains all the words in at least one of `ways`."""
    condition = Q(pk__in=[])
    for way in ways:
        both = Q()
        for token in way:
            both &= Q(**{f"{column}__contains": token.text})
        condition |= both
    return condition
