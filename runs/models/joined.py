"""Conditions and values for queries that Django's own methods can't express."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Exists, IntegerField, Lookup, OuterRef, QuerySet, Subquery
from django.db.models.lookups import In
from django.db.models.sql.compiler import SQLCompiler


class CountUpTo(Subquery):
    """The number of rows that a query returns. The query should have a limit."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


class Among(In):
    """Whether a column's value is among the values of a subquery.

    Unlike a filter with `__in`, this isn't turned into a join. In queries with more than eight tables, PostgreSQL would
    do that join last, after reading the column's whole table. This is a lookup, not a function: Django would compare a
    function with true, and then SQLite wouldn't use an index.
    """

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        column, column_params = self.process_lhs(compiler, connection)
        values, values_params = self.process_rhs(compiler, connection)
        return f"{column} = ANY(ARRAY{values})", (*column_params, *values_params)


class AmongKeys(Lookup):
    """Whether a column's value is among the given integers, which may be a thousand.

    They are passed as a single parameter, because passing a thousand takes longer than finding the rows. PostgreSQL
    then can't tell how many there are, so it looks them up. If it could tell, it might go through all rows in the order
    of the page until it had found enough of them.
    """

    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        column, params = self.process_lhs(compiler, connection)
        return f"{column} IN (SELECT value FROM json_each(%s))", (*params, f"[{self._keys}]")  # noqa: S608

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        column, params = self.process_lhs(compiler, connection)
        return f"{column} = ANY(ARRAY(SELECT unnest(%s::bigint[])))", (*params, f"{{{self._keys}}}")

    @property
    def _keys(self) -> str:
        return ",".join(map(str, self.rhs))


def is_one_of(rows: QuerySet[Any, Any], field: str) -> Exists:
    """Return a condition for rows whose foreign key `field` refers to one of `rows`. With `field__in=rows`, SQLite
    would first list all of these."""
    return Exists(rows.filter(pk=OuterRef(field)))
