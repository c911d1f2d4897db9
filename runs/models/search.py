"""Tables for searching: a full-text index of the words in runs, and a list of all known words."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import RawSQL
from django.db.models.lookups import Lookup
from django.db.models.sql.compiler import SQLCompiler

from runs.models.run import Run

SAMPLE = 1_000  # the sample consists of this many of the newest runs
COMMON = 20  # a word is common if at least this many runs in the sample contain it
# PostgreSQL chooses a plan before it knows how common the words are, and half the time it chooses the wrong one.
# That's why the query first counts matches among the newest runs. If the words are common, runs are then checked one by
# one, in list order, until the page is full; if they are rare, all matching runs are read from the index. In the
# latter case, the words are in a subquery, so that the planner always uses the index: it can't base its estimate on the
# words.
IS_COMMON = f"""(SELECT count(*) >= {COMMON}
      FROM (SELECT words FROM runs_runwords ORDER BY rowid DESC LIMIT {SAMPLE}) newest WHERE words @@ %s::tsquery)"""  # noqa: S608
ON_POSTGRES = f"""CASE
WHEN {IS_COMMON}
THEN (SELECT one.words @@ %s::tsquery FROM runs_runwords one WHERE one.rowid = {{run}})
ELSE {{run}} IN (SELECT rowid FROM runs_runwords WHERE words @@ (SELECT %s::tsquery))
END"""  # noqa: S608 - made of constants
# FTS5 represents the whole index as a hidden column with the same name as the table.
ON_SQLITE = "{run} IN (SELECT rowid FROM runs_runwords WHERE runs_runwords MATCH %s)"
# The same lookups with a limit: if only a few runs contain the words, a query can start from those runs. On PostgreSQL,
# common words aren't looked up at all, because we would have to read the whole index. On SQLite, nothing is returned if
# there are more than a few runs, because counting them is faster. `AreCommon` tells us whether a lookup was skipped.
FEW = 500
FEW_ON_POSTGRES = f"""{{run}} IN (SELECT rowid FROM runs_runwords
WHERE NOT {IS_COMMON} AND words @@ (SELECT %s::tsquery) LIMIT {FEW + 1})"""  # noqa: S608
FIRST_ON_SQLITE = f"SELECT rowid FROM runs_runwords WHERE runs_runwords MATCH %s LIMIT {FEW + 1}"  # noqa: S608
FEW_ON_SQLITE = f"""{{run}} IN (SELECT rowid FROM (SELECT rowid, count(*) OVER () AS found FROM ({FIRST_ON_SQLITE}))
WHERE found <= {FEW})"""  # noqa: S608
ARE_MANY_ON_SQLITE = f"(SELECT count(*) > {FEW} FROM ({FIRST_ON_SQLITE}))"  # noqa: S608

HELD_ON_POSTGRES = "EXISTS (SELECT 1 FROM runs_runwords WHERE words @@ ('''' || {word} || '''')::tsquery)"
HELD_ON_SQLITE = "EXISTS (SELECT 1 FROM runs_runwords WHERE runs_runwords MATCH ('\"' || {word} || '\"'))"


class HasWords(Lookup):
    """Lookup for runs whose words match a query from `compiled`: `Run.objects.filter(HasWords(F("pk"), query))`."""

    lookup_name = "has_words"
    prepare_rhs = False
    on_postgres, on_sqlite = ON_POSTGRES, ON_SQLITE

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        run, params = self.process_lhs(compiler, connection)
        condition = self.on_postgres if connection.vendor == "postgresql" else self.on_sqlite
        assert not params  # noqa: S101 - a column has none
        return condition.format(run=run), [self.rhs] * condition.count("%s")


class AmongFew(HasWords):
    """Lookup for the runs whose words match; it finds none if the words are common (`AreCommon`). On PostgreSQL, words
    that aren't common may still match more than `FEW` runs; it then finds the first `FEW` + 1."""

    lookup_name = "among_few"
    on_postgres, on_sqlite = FEW_ON_POSTGRES, FEW_ON_SQLITE


class AreCommon(HasWords):
    """Lookup that checks whether the words are too common for `AmongFew`. The left side of the lookup is ignored."""

    lookup_name = "are_common"
    on_postgres, on_sqlite = IS_COMMON, ARE_MANY_ON_SQLITE


def held_by_runs(column: str, vendor: str) -> RawSQL:
    """Return a condition for known words that occur in at least one run. `column` holds the word.

    Known words consist of letters, so they need no escaping.
    """
    condition = HELD_ON_POSTGRES if vendor == "postgresql" else HELD_ON_SQLITE
    return RawSQL(condition.format(word=f"runs_knownword.{column}"), (), models.BooleanField())  # noqa: S611


class RunWordsQuerySet(models.QuerySet["RunWords"]):
    def store(self, words: Iterable[tuple[int, str]]) -> None:
        """Store the words that runs can be found by, as (primary key, words) pairs (`words.terms.stored_words`)."""
        rows = list(words)
        is_postgres = connections[self.db].vendor == "postgresql"
        value = "array_to_tsvector(string_to_array(%s, ' '))" if is_postgres else "%s"
        with connections[self.db].cursor() as cursor:
            cursor.executemany("DELETE FROM runs_runwords WHERE rowid = %s", [(pk,) for pk, _words in rows])
            cursor.executemany(f"INSERT INTO runs_runwords (rowid, words) VALUES (%s, {value})", rows)  # noqa: S608


class RunWords(models.Model):
    """The words that a run can be found by. This is an FTS5 table on SQLite, and a table with a GIN-indexed `tsvector`
    on PostgreSQL."""

    run = models.OneToOneField(
        Run, on_delete=models.CASCADE, primary_key=True, db_column="rowid", db_constraint=False, related_name="+"
    )
    words = models.TextField()

    objects = RunWordsQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "run words"

    def __str__(self) -> str:
        return f"words of {self.run_id}"


class KnownWord(models.Model):
    """A word that occurs in a run or an app, used to correct typos in searches. It is never shown to anyone."""

    word = models.CharField(max_length=40, primary_key=True)

    def __str__(self) -> str:
        return self.word


class WordTrigram(models.Model):
    """Three consecutive letters of a known word."""

    trigram = models.CharField(max_length=3)
    length = models.PositiveSmallIntegerField()  # length of the whole word
    # There is no database constraint, because checking it would mean reading all trigrams whenever a word is deleted:
    # no index begins with the word.
    word = models.ForeignKey(
        KnownWord, on_delete=models.CASCADE, db_index=False, db_constraint=False, related_name="trigrams"
    )

    class Meta:
        constraints = (models.UniqueConstraint(fields=["trigram", "length", "word"], name="word_trigram_unique"),)

    def __str__(self) -> str:
        return f"{self.trigram} in {self.word_id}"


def compiled(groups: Sequence[Sequence[Sequence[tuple[str, bool]]]], vendor: str) -> str:
    """Return a full-text query for text that matches every group in `groups`.

    A group is a list of alternatives ("ways"); the text must match at least one of them. A way is a list of (token,
    is_beginning) pairs; the text must match all of them.
    """
    both, either = (" & ", " | ") if vendor == "postgresql" else (" AND ", " OR ")

    def term(token: str, *, is_beginning: bool) -> str:
        if vendor == "postgresql":
            quoted = token.replace("\\", "\\\\").replace("'", "''")
            return f"'{quoted}'{':*' if is_beginning else ''}"
        quoted = token.replace('"', '""')
        return f'"{quoted}"{"*" if is_beginning else ""}'

    def way(tokens: Sequence[tuple[str, bool]]) -> str:
        return f"({both.join(term(token, is_beginning=is_beginning) for token, is_beginning in tokens)})"

    return both.join(f"({either.join(way(tokens) for tokens in group)})" for group in groups)
