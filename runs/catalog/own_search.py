"""Our own search: listed apps that match all words, then apps that match some."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Case, IntegerField, Q, Value, When
from django.db.models.expressions import Combinable

from runs.models import App
from runs.models.app import AppQuerySet
from runs.words.fold import fold_words

MOST_WORDS = 12  # per search; the longest ones count
SOME_SHOWN = 12
SHORTEST_TELLING = 3  # letters; "a" and "of" are in every description
# Words that say nothing about an app; they only count if nothing else was typed.
IDLE = frozenset(
    fold_words("""
about and app apps are can could for from have into like make makes making me my need needs our please some something
that the their them these this those use using want wants what which will with would you your
""")
)


@dataclass(frozen=True)
class Found:
    """Apps that match all words, in catalogue order, and apps that match some, best matches first."""

    whole: list[App]
    partly: list[App]

    @property
    def ids(self) -> frozenset[int]:
        return frozenset(app.pk for app in [*self.whole, *self.partly])


def find(apps: AppQuerySet, q: str) -> Found:
    """Return the `apps` that match `q`, or all of them if it has no words. Makes one query."""
    words = fold_words(q)[:MOST_WORDS]
    if not words:
        return Found(list(apps), [])
    telling = [word for word in words if _is_telling(word)]
    ranked = apps.annotate(held=_sum(dict.fromkeys(words, 1)), weight=_sum({word: len(word) for word in telling}))
    found: list[Any] = list(ranked.filter(Q(held=len(words)) | Q(weight__gt=0)))  # apps and their matching words
    whole = [app for app in found if app.held == len(words)]
    partly = [app for app in found if app.held < len(words)]
    partly.sort(key=lambda app: -app.weight)  # stable: equal matches keep the list's order
    return Found(whole, partly[:SOME_SHOWN])


def _is_telling(word: str) -> bool:
    return word not in IDLE and (len(word) >= SHORTEST_TELLING or not word.isascii())


def _sum(worth: dict[str, int]) -> Combinable:
    """Return the total weight of the words that an app matches."""
    total: Combinable = Value(0, output_field=IntegerField())
    for word, letters in worth.items():
        total += Case(When(search_text__contains=word, then=Value(letters)), default=Value(0))
    return total
