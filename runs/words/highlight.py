"""Highlight search terms in a text."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Self

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from runs.words.fold import fold
from runs.words.terms import WORD, is_spaceless, matcher, similar_ways_of, stored_words

_stored = lru_cache(maxsize=4_096)(stored_words)


@dataclass(frozen=True)
class Marker:
    """Highlights words that match any of `wanted`. `spaceless` has the search terms in scripts without spaces."""

    wanted: list[Callable[[str], bool]] = field(default_factory=list)
    spaceless: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, words: list[str], similar: dict[str, tuple[str, ...]]) -> Self:
        """Return the marker for the words of a search. `similar` maps a word to the known words that it may be a typo
        of."""
        spaced = [word for word in words if not is_spaceless(word)]
        wanted = [matcher(similar_ways_of(word, similar.get(word, ()))) for word in spaced]
        return cls(wanted, [word for word in words if is_spaceless(word)])

    def marked(self, text: str) -> SafeString:
        """Return `text` escaped, with the matching words in <mark>."""
        if not (self.wanted or self.spaceless):
            return escape(text)
        pieces, end = [], 0
        for start, stop in self._found(text):
            pieces += [escape(text[end:start]), format_html("<mark>{}</mark>", text[start:stop])]
            end = stop
        return mark_safe("".join([*pieces, escape(text[end:])]))  # noqa: S308 - every piece is escaped

    def _found(self, text: str) -> list[tuple[int, int]]:
        """Return the start and end of each match. Words are folded one by one, because folding may change a word's
        length."""
        found = []
        for match in WORD.finditer(text):
            word = fold(match[0])
            if is_spaceless(word):
                found += [
                    (match.start() + at, match.start() + at + len(part))
                    for part in self.spaceless
                    if len(word) == len(match[0]) and (at := word.find(part)) >= 0
                ][:1]
            elif any(matches(_stored(word)) for matches in self.wanted):
                found.append(match.span())
        return found


NONE = Marker()
