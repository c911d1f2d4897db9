"""Highlight search terms in text."""

import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Self

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from runs.words.fold import fold
from runs.words.terms import JOINED, LONGEST, WORD, Ways, is_spaceless, matcher, similar_ways_of, stored_words

_stored = lru_cache(maxsize=4_096)(stored_words)
START = 3  # in letters; a word and its stem share at least this many letters at the start
BEFORE, AROUND = 25, 80  # in letters: how much text to show before the first match, and how much in total


@dataclass(frozen=True)
class Term:
    """One word of a search. `starts`, used to rule out text quickly, holds the beginnings of all words that can match
    it."""

    word: str
    matches: Callable[[str], bool]
    starts: tuple[str, ...]
    is_spaceless: bool

    @classmethod
    def of(cls, word: str, similar: tuple[str, ...]) -> Self:
        ways: Ways = tuple((token,) for way in similar_ways_of(word, similar) for token in way)
        starts = tuple(dict.fromkeys(way[0].text[:START] for way in ways))
        return cls(word, matcher(ways), starts, is_spaceless(word))

    def may_be_in(self, folded: str) -> bool:
        """Return whether the folded text may contain the term: True means perhaps, False means definitely not."""
        bare = folded.replace("-", "")
        return any(start in folded or start in bare for start in self.starts)

    def place_in(self, word: str, folded: str) -> tuple[int, int] | None:
        """Return the start and end of the term in `word`, one word of a text; `folded` is the same word, folded. Return
        None if the term isn't there."""
        if not is_spaceless(folded):
            is_found = (
                folded.startswith(self.starts) and not self.is_spaceless and self.matches(_stored(folded[:LONGEST]))
            )
            return (0, len(word)) if is_found else None
        at = folded.find(self.word) if self.is_spaceless and len(folded) == len(word) else -1
        return (at, at + len(self.word)) if at >= 0 else None


type Place = tuple[int, int, Term]  # where a match starts and ends, and what it matches


@dataclass(frozen=True)
class Marker:
    """Highlights words that match any of `terms`."""

    terms: tuple[Term, ...] = ()
    # The places in each word that `_in_word` has looked at, because the texts on a page share many words
    _places: dict[str, list[Place]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, words: list[str], similar: dict[str, tuple[str, ...]]) -> Self:
        """Return the marker for a search for `words`. `similar` maps a word to the known words that it may be a typo
        of."""
        return cls(tuple(Term.of(word, similar.get(word, ())) for word in words))

    def without(self, texts: Iterable[str]) -> Self:
        """Return a marker for just the terms that aren't in any of `texts`."""
        if not self.terms:
            return self
        present = self.terms_in("\n".join(texts))
        return type(self)(tuple(term for term in self.terms if term not in present))

    def terms_in(self, text: str) -> set[Term]:
        """Return the terms that `text` contains."""
        return {term for _start, _stop, term in self._matches(_composed(text))}

    def marked(self, text: str) -> SafeString:
        """Return `text` escaped, with the matching words in <mark>."""
        if not self.terms:
            return escape(text)
        text = _composed(text)
        pieces, end = [], 0
        for start, stop, _term in self._matches(text):
            if start >= end:  # otherwise, another term has already matched at this position
                pieces += [escape(text[end:start]), "<mark>", escape(text[start:stop]), "</mark>"]
                end = stop
        return mark_safe("".join([*pieces, escape(text[end:])]))  # noqa: S308 - every piece is escaped

    def excerpt(self, text: str) -> SafeString:
        """Return the part of `text` around its first match as one line, escaped and with the matches in <mark>."""
        text = _composed(" ".join(text.split()))
        first = next(((start, stop) for start, stop, _term in self._matches(text)), (0, 0))
        start, end = _around(text, *first)
        piece = self.marked(text[start:end].strip())
        return format_html("{}{}{}", "… " if start else "", piece, " …" if end < len(text) else "")

    def _matches(self, text: str) -> list[Place]:
        """Return each match in the text, in order. Words are folded one by one, because folding may change a word's
        length."""
        whole = fold(text)
        terms = [term for term in self.terms if term.may_be_in(whole)]
        if not terms:
            return []
        places: list[Place] = []
        for match in WORD.finditer(text):
            at = match.start()
            places += [(at + start, at + stop, term) for start, stop, term in self._in_word(match[0])]
        if "-" in text:
            places += _hyphenated_matches(text, terms, places)
        return sorted(places, key=lambda place: place[:2])

    def _in_word(self, word: str) -> list[Place]:
        """Return each match in one word of a text."""
        if (places := self._places.get(word)) is None:
            folded = fold(word)
            term_places = [(term, term.place_in(word, folded)) for term in self.terms]
            places = self._places[word] = [(*place, term) for term, place in term_places if place]
        return places


def _hyphenated_matches(text: str, terms: list[Term], places: list[Place]) -> list[Place]:
    """Return where terms match whole hyphenated words (as "tryon" matches "try-on"), if no part of the word matches by
    itself."""
    more = []
    starts = sorted(start for start, _stop, _term in places)
    for match in JOINED.finditer(text):
        if bisect_left(starts, match.start()) == bisect_left(starts, match.end()):
            word = fold(match[0]).replace("-", "")[:LONGEST]
            more += [(*match.span(), term) for term in terms if not term.is_spaceless and term.matches(word)]
    return more


def _around(text: str, start: int, stop: int) -> tuple[int, int]:
    """Return where the part of `text` around a match begins and ends, cut between words where possible."""
    begin = max(0, min(start - BEFORE, len(text) - AROUND))
    end = min(len(text), max(begin + AROUND, stop))
    if begin and (space := text.find(" ", begin, start)) >= 0:
        begin = space + 1
    if end < len(text) and (space := text.rfind(" ", stop, end)) >= 0:
        end = space
    return begin, min(end, begin + 2 * AROUND)


def _composed(text: str) -> str:
    """Return `text` with each letter and its accent as one character. In file names from a Mac, a letter and its accent
    are separate characters."""
    return unicodedata.normalize("NFC", text)


NONE = Marker()
