"""Known words, used to correct typos in searches and to split compound words.

Trigrams (three letters in a row) find candidates among the known words; the edit distance then decides.
"""

from collections import defaultdict
from collections.abc import Iterable
from itertools import batched
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, QuerySet, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast

from runs.models import App, KnownWord, WordTrigram
from runs.models.search import held_by_runs
from runs.words.stems import stem
from runs.words.terms import LONGEST, is_spaceless

SHORTEST = 4  # in letters; a typo in a shorter word could mean anything
LONG = 8  # in letters; in words at least this long, even two edits count as a typo
LEARNED_AT_ONCE = 500
MOST_SIMILAR = 8
type Columns = tuple[str | Combinable, ...]  # for `values_list`


def is_learned(word: str) -> bool:
    return SHORTEST <= len(word) < LONGEST and word.isalpha() and not is_spaceless(word)


def trigrams(word: str) -> set[str]:
    """Return the trigrams of `word`, padded with spaces so that the ends of the word count more."""
    padded = f"  {word} "
    return {padded[i : i + 3] for i in range(len(padded) - 2)}


def learn(words: Iterable[str]) -> None:
    """Add `words` (folded) to the known words, unless they are already known."""
    candidates = sorted({word for word in words if is_learned(word)})
    for start in range(0, len(candidates), LEARNED_AT_ONCE):
        batch = candidates[start : start + LEARNED_AT_ONCE]
        existing = set(KnownWord.objects.filter(word__in=batch).values_list("word", flat=True))
        new = [word for word in batch if word not in existing]
        KnownWord.objects.bulk_create([KnownWord(word=word) for word in new], ignore_conflicts=True)
        WordTrigram.objects.bulk_create(
            [WordTrigram(trigram=three, length=len(word), word_id=word) for word in new for three in trigrams(word)],
            ignore_conflicts=True,
        )


def forget_unused(words: Iterable[str] | None = None) -> int:
    """Forget known words that no longer occur in any run or app, and return how many were forgotten. If `words` is
    given, check only those.

    Otherwise, searches would correct typos to words from deleted runs, which the person searching may never have seen.
    """
    all_words = KnownWord.objects.order_by().values_list("word", flat=True)
    candidates = all_words.iterator() if words is None else sorted({word for word in words if is_learned(word)})
    unused = [word for batch in batched(list(candidates), LEARNED_AT_ONCE) for word in _in_no_run(batch)]
    if unused:
        in_apps = {word for text in App.objects.values_list("search_text", flat=True) for word in text.split()}
        unused = [word for word in unused if word not in in_apps]
    for word in unused:
        with transaction.atomic():
            WordTrigram.objects.filter(trigram__in=trigrams(word), length=len(word), word=word).delete()
            KnownWord.objects.filter(word=word).delete()
    return len(unused)


def _in_no_run(words: Iterable[str]) -> list[str]:
    unused = KnownWord.objects.filter(word__in=list(words)).exclude(held_by_runs("word", connection.vendor))
    return list(unused.order_by().values_list("word", flat=True))


def similar_to(words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the closest known words for each of `words` that it may be a typo of or, if it's a compound, may contain.
    Words that aren't close to any known word are left out. Takes at most one query."""
    queries = []
    for word in filter(is_learned, words):
        queries.append(_alike(word))
        if ends := _ends(word):
            queries.append(_selected(KnownWord.objects.filter(word__in=ends), word))
    return similar(queries[0].union(*queries[1:], all=True)) if queries else {}


def similar(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """For each searched word, return the closest known words out of these pairs of a searched and a known word."""
    neighbours: dict[str, set[str]] = defaultdict(set)
    for word, other in pairs:
        neighbours[word].add(other)
    return {word: _corrections(word, others) for word, others in neighbours.items()}


def _alike(word: str) -> QuerySet[Any, Any]:
    """Return known words that are similar to `word`, as `_selected` does."""
    pieces, edits, length = trigrams(word), most_edits(len(word)), len(word)
    # Swapping two letters changes four trigrams, or five if there is a letter in between
    shared = max(1, len(pieces) - 5 * edits)
    sharing = WordTrigram.objects.filter(trigram__in=pieces, length__range=(length - edits, length + edits))
    return _selected(sharing.order_by().values("word").annotate(held=Count("pk")).filter(held__gte=shared), word)


def _ends(word: str) -> set[str]:
    """Return the beginnings and ends of `word` that may be words; none if it's short."""
    return {word[:i] for i in range(SHORTEST, len(word))} | {word[i:] for i in range(1, len(word) - SHORTEST + 1)}


def _selected(words: QuerySet[Any, Any], word: str) -> QuerySet[Any, Any]:
    """Return pairs of the searched `word` and each of the known `words`."""
    return words.order_by().values_list(Value(word, TextField()), Cast("word", TextField()))


def _corrections(word: str, others: set[str]) -> tuple[str, ...]:
    """Return the likeliest corrections, and the longest known words at the start and the end: for "Schuhfotos", "Schuh"
    and "Fotos".

    If the word itself is known, even with another ending, it isn't a typo: "shoe" isn't corrected to "shop".
    """
    is_slip = others.isdisjoint({word, stem(word)})
    distances = sorted((edits(word, other), other) for other in others - {word}) if is_slip else []
    slips = [other for count, other in distances if count <= most_edits(len(word)) or _is_disorder(word, other, count)]
    parts = sorted(others - {word}, key=len, reverse=True)
    begins = [part for part in parts if word.startswith(part)][:1]
    ends = [part for part in parts if word.endswith(part)][:1]
    return tuple(dict.fromkeys([*slips[:MOST_SIMILAR], *begins, *ends]))


def _is_disorder(word: str, other: str, count: int) -> bool:
    """Return whether the words differ only in the order of a few letters, as in "bycicle"."""
    return count == 2 and sorted(word) == sorted(other)


def most_edits(length: int) -> int:
    """Return how many edits still count as a typo in a word with this many letters."""
    return 2 if length >= LONG else 1


def edits(one: str, other: str) -> int:
    """Return the edit distance: how many letters must be added, removed, changed or swapped to turn `one` into
    `other`."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, target in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != target))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == target:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
