"""Lets SQLite use partial indexes.

SQLite uses a partial index such as `… WHERE status = 'saving'` only for queries that contain this value. Django passes
all values as parameters (`status = ?`), so SQLite would read the whole table instead. On SQLite, the values of boolean
fields and of fields with choices are therefore written into the query: there are only a few of them.
"""

from functools import cache
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, CharField, Field
from django.db.models.expressions import Col
from django.db.models.lookups import Exact, In
from django.db.models.sql.compiler import SQLCompiler


class ExactValue(Exact):
    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        value = _literal(self.lhs, self.rhs)
        if value is None:
            return self.as_sql(compiler, connection)
        column, params = self.process_lhs(compiler, connection)
        return f"{column} = {value}", params


class OneOfValues(In):
    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        listed = self.rhs if self.rhs_is_direct_value() else ()
        values = [_literal(self.lhs, value) for value in listed]
        if not values or None in values:
            return self.as_sql(compiler, connection)
        column, params = self.process_lhs(compiler, connection)
        return f"{column} IN ({', '.join(map(str, values))})", params


def install() -> None:
    for field in (BooleanField, CharField):
        field.register_lookup(ExactValue)
        field.register_lookup(OneOfValues)


def _literal(column: Any, value: Any) -> str | None:
    """Return `value` as it is written in a query; None if `column` isn't a column (but, say, an EXISTS) with just a few
    possible values, or if this isn't one of them."""
    if not isinstance(column, Col):
        return None
    field = column.target
    if isinstance(field, BooleanField):
        return str(int(value)) if isinstance(value, bool) else None
    if isinstance(value, str) and value in _choices(field):
        return "'" + str(value).replace("'", "''") + "'"
    return None


@cache
def _choices(field: "Field[Any, Any]") -> frozenset[str]:
    """Return the values to choose from, but none with "%", which would be taken for a placeholder."""
    return frozenset(choice for choice, _label in field.flatchoices if isinstance(choice, str) and "%" not in choice)
