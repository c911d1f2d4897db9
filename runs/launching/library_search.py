"""Words that people look for in the library, matched as in History.

Results are found by the words of their run, in its index, and by their label; uploads by their name. Labels and names
are short and aren't indexed, so there, words may also be parts of others.
"""

from dataclasses import dataclass, field
from typing import Self

from django.db.models import Q

from runs.words.highlight import NONE, Marker
from runs.words.known_words import similar_to
from runs.words.run_index import in_runs
from runs.words.terms import Ways, query_words, similar_ways_of, ways_of


@dataclass(frozen=True)
class LibrarySearch:
    """The words to look for, each with the ways to match it; without words, everything matches.

    With `is_similar`, words of similar meaning match, too, and typos are corrected.
    """

    q: str = ""
    asked: list[Ways] = field(default_factory=list)
    is_similar: bool = False
    marker: Marker = NONE

    @classmethod
    def read(cls, q: str, *, is_similar: bool = False) -> Self:
        """Understand what was typed; for words, this takes one query."""
        words = query_words(q)
        known = similar_to(words)
        ways = [similar_ways_of(word, known.get(word, ())) if is_similar else ways_of(word) for word in words]
        return cls(q, ways, is_similar, Marker.of(words, known))

    def in_results(self) -> Q:
        """Return a condition for results (`OutputFile`) that have all words, in their run or in their label."""
        if self.q and not self.asked:
            return Q(pk__in=[])
        condition = Q()
        for ways in self.asked:
            condition &= Q(in_runs([ways], "output__run_id")) | _in_text("output__search_text", ways)
        return condition

    def in_uploads(self) -> Q:
        """Return a condition for uploads that have all words in their name."""
        if self.q and not self.asked:
            return Q(pk__in=[])
        condition = Q()
        for ways in self.asked:
            condition &= _in_text("search_text", ways)
        return condition


def _in_text(column: str, ways: Ways) -> Q:
    """Return a condition for rows whose folded text in `column` contains all words of one of `ways`."""
    condition = Q(pk__in=[])
    for way in ways:
        both = Q()
        for token in way:
            both &= Q(**{f"{column}__contains": token.text})
        condition |= both
    return condition
