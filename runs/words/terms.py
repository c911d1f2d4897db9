"""Split text into the words that search stores, and queries into the words that it looks for. For each text, we store
the folded words and their stems, so that PostgreSQL and SQLite only have to compare whole words and beginnings of
words. Chinese, Japanese and Thai have no spaces between words, so each character and each pair of neighbouring
characters counts as a word.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from runs.words.fold import fold
from runs.words.stems import stem
from runs.words.synonyms import same_as

LONGEST = 40  # in letters; the rest of a longer word is ignored
MOST_TERMS = 8  # maximum number of words in a query; any others are ignored
SHORTEST_PART = 4  # in letters; shorter parts of a compound word don't count
STEM_BEGINS = 5  # in letters; a shorter stem must match a whole word, because too many words begin with it
SPACELESS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
SIGNS = "\u0900-\u0dff"  # Indic scripts, whose vowel signs Python doesn't treat as letters
WORD = re.compile(rf"[{SPACELESS}]+|(?:(?![{SPACELESS}])(?:[^\W_]|[{SIGNS}]))+")
# Words joined by hyphens. The pattern never backtracks; if it did, a long stretch of text without spaces would take
# minutes.
JOINED = re.compile(r"(?<![^\W_])[^\W_]++(?:-[^\W_]++)++")
SPACELESS_WORD = re.compile(rf"[{SPACELESS}]+")
# Stop words, which say nothing about the subject. They are used only if the query has no other words.
IDLE_WORDS = """
a about all am an and any app apps are as at be been but by can could do does for from get give has have how i if in
into is it its just like made make makes making me my need needs of off on one or our out please show so some
something that the their them then there these they this those to up use using want wants was we were what when
where which who will with would you your
aber als am an auf aus bei bin bitte brauche brauchen das dass dem den der des die dies diese diesem diesen dieser
dieses doch du durch ein eine einem einen einer eines er es etwas fur gib habe haben hat ich ihr im in ins ist kann
konnen mach mache machen macht mal man mein meine meinem meinen meiner meines mich mir mit mochte nach neue neuen
neues nicht noch nur ob oder ohne sein sie sind soll sollen suche um und uns unser unsere unseren vom von war was
wie will wir wird wo zeig zeige zu zum zur
"""
IDLE = frozenset(IDLE_WORDS.split())


@dataclass(frozen=True)
class Token:
    """A word to find among the stored words; with `is_beginning`, any stored word that begins with it counts."""

    text: str
    is_beginning: bool = False


Way = tuple[Token, ...]  # tokens; a text must contain all of them
Ways = tuple[Way, ...]  # alternatives for matching one word of a query


def split(folded: str) -> list[str]:
    """Return the words of a folded text, in order."""
    return [word[:LONGEST] for word in WORD.findall(folded)]


def is_spaceless(word: str) -> bool:
    return SPACELESS_WORD.match(word) is not None


def is_telling(word: str, letters: int) -> bool:
    """Return whether the folded `word` says something on its own: it has at least so many `letters`, or it isn't in
    Latin letters, because one character can then be a whole word."""
    return len(word) >= letters or not word.isascii()


def stored_words(text: str) -> str:
    """Return the words to store for searching `text`: folded words and stems, sorted, without duplicates."""
    return " ".join(sorted(set(_stored(fold(text)))))


def _stored(folded: str) -> Iterator[str]:
    for word in split(folded):
        if is_spaceless(word):
            yield from word
            yield from _pairs(word)
        else:
            yield from (word, stem(word))
    for joined in JOINED.findall(folded):  # "try-on" is also stored as "tryon"
        yield joined.replace("-", "")[:LONGEST]


def _pairs(word: str) -> list[str]:
    return [word[i : i + 2] for i in range(len(word) - 1)]


def query_words(q: str) -> list[str]:
    """Return the folded words of a query, without duplicates, and without stop words unless there is nothing else."""
    words = list({stem(word): word for word in reversed(split(fold(q)))}.values())[::-1]
    telling = [word for word in words if word not in IDLE]
    return (telling or words)[:MOST_TERMS]


def ways_of(word: str) -> Ways:
    """Return the ways a text can match `word`: it has a word that begins with `word`, or the same word with a different
    ending."""
    if is_spaceless(word):
        return (tuple(Token(pair) for pair in _pairs(word) or [word]),)
    bare = stem(word)
    ways: Ways = ((Token(word, is_beginning=True),),)
    return ways if bare == word else (*ways, (Token(bare, is_beginning=len(bare) >= STEM_BEGINS),))


def similar_ways_of(word: str, neighbours: Iterable[str]) -> Ways:
    """Return the ways a text can match `word` or a similar word; `word` may be a typo of any of `neighbours`."""
    if is_spaceless(word):
        return ways_of(word)
    bare = _without_umlauts(word)
    others = [*neighbours, *([bare] if bare != word else [])]
    ways = [way for other in [word, *others] for way in _ways_to_say(other)]
    return tuple(dict.fromkeys([*ways_of(word), *ways, *_compound_ways_of(word, neighbours)]))


def _ways_to_say(word: str) -> Ways:
    """Return the ways a text can match `word` or a synonym of it."""
    return tuple(way for other in (word, *same_as(word)) for way in _whole_ways_of(other))


def _compound_ways_of(word: str, neighbours: Iterable[str]) -> Ways:
    """Return the ways a text can match both parts of a compound word: "Produktvideo" matches "product" and "video"."""
    for cut in range(SHORTEST_PART, len(word) - SHORTEST_PART + 1):
        parts = word[:cut], word[cut:]
        if all(part in neighbours or same_as(part) for part in parts):
            first, second = (_ways_to_say(part) for part in parts)
            return tuple((*one, *other) for one in first for other in second)
    return ()


def _whole_ways_of(word: str) -> Ways:
    """Return the ways a text can match `word` as a whole word, even with a different ending."""
    return ((Token(word),),) if stem(word) == word else ((Token(word),), (Token(stem(word)),))


def _without_umlauts(word: str) -> str:
    """Convert a German word typed without umlauts to the form that search stores: "schoen" to "schon", for "schön"."""
    return word.replace("ae", "a").replace("oe", "o").replace("ue", "u")


def matcher(ways: Ways) -> Callable[[str], bool]:
    """Return a function that checks whether stored text matches one of `ways`, just like the index of runs does."""
    single = tuple(_needle(way[0]) for way in ways if len(way) == 1)
    several = [tuple(map(_needle, way)) for way in ways if len(way) > 1]

    def matches(stored: str) -> bool:
        padded = f" {stored} "
        for needle in single:  # a plain loop is fastest, and this runs for thousands of texts
            if needle in padded:
                return True
        return any(all(needle in padded for needle in way) for way in several) if several else False

    return matches


def _needle(token: Token) -> str:
    return f" {token.text}" if token.is_beginning else f" {token.text} "


def holds(stored: str, ways: Ways) -> bool:
    """Return whether `stored` text matches one of `ways`."""
    return matcher(ways)(stored)
