"""Keep the search index of runs up to date, and look words up in it."""

from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.models import BigIntegerField, F, QuerySet, Value

from runs.models import Comment, Decision, Member, Run, RunWords
from runs.models.run import RunQuerySet
from runs.models.search import FEW, AmongFew, AreCommon, HasWords, compiled
from runs.words.fold import fold
from runs.words.known_words import learn
from runs.words.terms import Ways, split, stored_words

SAID_AT_MOST = 500  # how many of a run's latest comments and notes are searchable
SAID_LETTERS = 20_000
TOO_MANY = 0  # returned instead of keys if there are too many runs; no run has this key


def index_runs(runs: Iterable[Run]) -> None:
    """Index the words of `runs`, so that searches find them."""
    texts = [(run.pk, text_of(run)) for run in runs]
    RunWords.objects.store((pk, stored_words(text)) for pk, text in texts)
    learn(word for _, text in texts for word in split(text))


def text_of(run: Run) -> str:
    """Return all of the run's text that searches match against, folded: `search_text`, comments, notes on decisions,
    and the names of the people who decided."""
    whole = "\n".join(text for _at, text in _comments_and_notes(run))[:SAID_LETTERS]
    return "\n".join([run.search_text, fold("\n".join([whole, *_deciders(run)]))])


def _deciders(run: Run) -> list[str]:
    """Return the names of everyone who decided on the run's results; members' names are as of the time of indexing."""
    decisions = Decision.objects.filter(output__run=run).exclude(verdict="").order_by()
    people = decisions.values_list("member__name", "member__email", "guest_name").distinct()[:SAID_AT_MOST]
    return [guest or Member(name=name or "", email=email or "").display_name for name, email, guest in people]


def _comments_and_notes(run: Run) -> QuerySet[Any, Any]:
    """Return the latest comments and notes about the run, each with its time."""
    comments = Comment.objects.filter(run=run).exclude(text="").values_list("created_at", "text")
    notes = Decision.objects.filter(output__run=run).exclude(note="").values_list("created_at", "note")
    return comments.order_by().union(notes.order_by(), all=True).order_by("-created_at")[:SAID_AT_MOST]


def in_runs(items: Iterable[Ways], run: str = "pk") -> HasWords:
    """Return a condition for runs whose stored words match every item of `items`; `run` is the path to the run's
    key."""
    return HasWords(F(run), query_of(items))


def query_of(items: Iterable[Ways]) -> str:
    """Return a full-text query for words that match every item of `items`."""
    groups = [[[(token.text, token.is_beginning) for token in way] for way in ways] for ways in items]
    return compiled(groups, connection.vendor)


def few_matching(query: str) -> RunQuerySet:
    """Return the runs whose words match `query`; none if there are too many (`too_many_for`). On PostgreSQL, it may
    also return the first `FEW` + 1 of many runs."""
    return Run.objects.filter(AmongFew(F("pk"), query))


def few_runs(queries: Iterable[str], member: Member) -> dict[str, frozenset[int]]:
    """Return the keys of the runs that match each of `queries`, leaving out queries that too many runs match. Takes one
    database query."""
    texts = list(dict.fromkeys(queries))
    arms = [arm for n, query in enumerate(texts) for arm in _arms(n, query, member)]
    rows = list(arms[0].union(*arms[1:], all=True)) if arms else []
    matches: dict[int, set[int]] = {n: set() for n in range(len(texts))}
    for n, pk in rows:
        matches[n].add(pk)
    return {texts[n]: frozenset(pks) for n, pks in matches.items() if len(pks) <= FEW and TOO_MANY not in pks}


def _arms(n: int, query: str, member: Member) -> list[QuerySet[Any, Any]]:
    """Return two queries whose rows begin with `n`: one for the keys of the runs that match `query`, and one that
    yields `TOO_MANY` instead if there are too many of them."""
    place, key = Value(n, BigIntegerField()), Value(TOO_MANY, BigIntegerField())
    runs: QuerySet[Any, Any] = few_matching(query).order_by().annotate(place=place).values_list("place", "pk")
    many: QuerySet[Any, Any] = too_many_for(query, member).order_by().annotate(place=place, key=key)
    return [runs, many.values_list("place", "key")]


def too_many_for(query: str, member: Member) -> QuerySet[Member]:
    """Return a query that finds `member` if too many runs match `query` for `few_matching` to return any, and nothing
    otherwise."""
    return Member.objects.filter(AreCommon(F("pk"), query), pk=member.pk)
