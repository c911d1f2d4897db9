"""Search our own catalogue: listed apps that match all the words, best matches first, then apps that match some of
them.

The words of all listed apps are compared in Python: this takes only a few milliseconds even for 2,000 apps, and lets a
match in the name count for more than one in the description. Words are matched as in History (`words.terms`).
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from math import log

from runs.models.app import AppQuerySet
from runs.words.highlight import Marker
from runs.words.known_words import similar_to
from runs.words.synonyms import kind_named
from runs.words.terms import is_telling, matcher, query_words, similar_ways_of, ways_of

SOME_SHOWN = 12
NEAREST_SHOWN = 3
ALIKE = 0.75  # for `difflib`: "musik" is like "music", and "cartoonist" like "cartoon", but "dentist" like nothing
SHORTEST_TELLING = 3  # letters; shorter words alone aren't enough to show an app
# How much a match counts: the word itself in the name or in the rest of the text, a similar word in either, or just the
# kind of results that the app produces.
NAME, REST, SIMILAR_NAME, SIMILAR_REST, MAKES = 8.0, 4.0, 5.0, 2.5, 2.0


@dataclass(frozen=True)
class AppMatches:
    """Apps that match all the words and apps that match some of them, best matches first in both."""

    whole: list[int]  # primary keys of apps
    partly: list[int]
    marker: Marker
    kinds: frozenset[str] | None = None  # the kinds of results that the apps produce; None if we didn't check

    @property
    def ids(self) -> frozenset[int]:
        return frozenset([*self.whole, *self.partly])


@dataclass(frozen=True)
class _Row:
    """An app's searchable text."""

    pk: int
    name: str
    rest: str
    makes: str


def find(apps: AppQuerySet, q: str) -> AppMatches:
    """Return the apps in `apps` that match `q`, or all of them if it's empty. Makes at most two queries."""
    words = query_words(q)
    if not words:
        return AppMatches([] if q else list(apps.values_list("pk", flat=True)), [], Marker())
    rows = [
        _Row(pk, name, rest, makes)
        for pk, text, makes in apps.values_list("pk", "search_text", "makes_text")
        for name, _, rest in [text.partition("\n")]
    ]
    similar = similar_to(words)
    scores = [_scores(word, similar.get(word, ()), rows) for word in words]
    kinds = frozenset(kind for row in rows for kind in row.makes.split())
    return AppMatches(*_ranked(words, scores, rows), Marker.of(words, similar), kinds)


def nearest(apps: AppQuerySet, q: str) -> list[int]:
    """Return the primary keys of the apps in `apps` with a word much like one in `q`, to be suggested if nothing
    matches. Often there are none: an app that merely happens to be on the list is no suggestion."""
    texts = [(pk, set(text.split())) for pk, text in apps.values_list("pk", "search_text")]
    by_letter: dict[str, list[str]] = defaultdict(list)  # by first letter, because comparing all words takes too long
    for word in sorted(set().union(*(words for _pk, words in texts))):
        by_letter[word[0]].append(word)
    telling = [word for word in query_words(q) if is_telling(word, SHORTEST_TELLING)]
    alike = [one for word in telling for one in get_close_matches(word, by_letter[word[0]], NEAREST_SHOWN, ALIKE)]
    pks = dict.fromkeys(pk for word in alike for pk, words in texts if word in words)
    return list(pks)[:NEAREST_SHOWN]


def _scores(word: str, neighbours: tuple[str, ...], rows: list[_Row]) -> list[float]:
    """Return how well each of `rows` matches `word`: a score, which is 0 if there is no match. Words that occur in few
    apps count for more.

    An app that only matches because of the kind of results it produces scores `MAKES`, which isn't enough on its own to
    show it.
    """
    is_typed, similar, kind = matcher(ways_of(word)), matcher(similar_ways_of(word, neighbours)), kind_named(word)
    quality = [_quality(row, is_typed, similar, kind) for row in rows]
    having = sum(1 for one in quality if one > MAKES)
    weight = 1 + log(1 + len(rows) / (1 + having))
    return [one * weight if one > MAKES else one for one in quality]


def _quality(row: _Row, is_typed: Callable[[str], bool], similar: Callable[[str], bool], kind: str) -> float:
    if similar(row.name):
        return NAME if is_typed(row.name) else SIMILAR_NAME
    if similar(row.rest):
        return REST if is_typed(row.rest) else SIMILAR_REST
    return MAKES if kind and f" {kind} " in row.makes else 0.0


def _ranked(words: list[str], scores: list[list[float]], rows: list[_Row]) -> tuple[list[int], list[int]]:
    """Return the primary keys of the apps that match all the words, and of those that match some of them. Apps with the
    same score keep their order in the list."""
    whole, partly = [], []
    for number, row in enumerate(rows):
        of_words = [of_word[number] for of_word in scores]
        if all(of_words):
            whole.append((-sum(of_words), number, row.pk))
        elif any(
            score > MAKES and is_telling(word, SHORTEST_TELLING) for word, score in zip(words, of_words, strict=True)
        ):
            partly.append((-sum(of_words), number, row.pk))
    return [pk for *_, pk in sorted(whole)], [pk for *_, pk in sorted(partly)[:SOME_SHOWN]]
