"""Queries that are compiled only once per process, for rows that are needed often.

Normally, Django builds and compiles a query each time it is run. For a single row with many columns, that takes ten
times as long as it takes the database to find the row. A `Prepared` query compiles its queryset once per process, and
after that only fills in the values, like a prepared statement. It returns the same rows as the queryset would.
"""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models import Prefetch, prefetch_related_objects
from django.db.models.query import ModelIterable, get_related_populators

# Placeholders for the values while a query is compiled. Real queries never contain these values.
STANDS_FOR: dict[type, Callable[[int], Any]] = {
    int: lambda place: 1_999_000_000 + place,
    str: lambda place: f"\x02value {place}\x03",
    datetime: lambda place: datetime(9000, 1, 1, tzinfo=UTC) + timedelta(days=place),
}

type Sql = tuple[str, Sequence[Any]]  # a query's SQL and its parameters


@dataclass(frozen=True)
class _Plan:
    """A compiled query. For each parameter of `sql`, `places` says which of the values to insert; None means that the
    parameter never changes. `model` is None if the rows are plain tuples; otherwise, the columns of its fields go from
    `start` up to, but not including, `end`. `prefetches` are its lookups for `prefetch_related`."""

    sql: str
    params: Sequence[Any]
    places: Sequence[int | None]
    converters: dict[int, Any]
    model: Any
    start: int = 0
    end: int = 0
    names: Sequence[str] = ()
    related: Sequence[Any] = ()
    annotations: Sequence[tuple[str, int]] = ()
    prefetches: Sequence[Any] = ()


class Prepared[Row]:
    """The query that `make` returns for given values, which are integers, strings or datetimes.

    `make` may only compare columns with the values, or return them in the rows. For any values of the same types, it
    must return the same query, so it mustn't depend on the current time. It mustn't be empty for every value, either
    (`none()`). `prefetch_related` works as usual, but the queries for prefetched rows are compiled each time, and can't
    use the values.
    """

    def __init__(self, make: "Callable[..., models.QuerySet[Any, Row]]") -> None:
        self._make = make
        self._plans: dict[tuple[type, ...], _Plan] = {}

    def rows(self, *values: Any, also: Sequence[Sql] = ()) -> list[Row]:
        """Return the rows for `values`, and those of the queries in `also`, all in one query.

        The queries in `also` must have the same columns, with the same types. If there are any, the rows are in no
        particular order. Raises TypeError if there are any and `values` has a value of another type.
        """
        plan = self._plan(values)
        if plan is None:
            if also:
                raise TypeError("only values that can be prepared can be combined with other queries")
            return list(self._make(*values))  # e.g. None, which needs different SQL
        found = [_row_of(plan, row) for row in rows_of([_filled(plan, values), *also])]
        prefetch_related_objects(found, *map(_fresh, plan.prefetches))
        return found

    def first(self, *values: Any) -> Row | None:
        """Return the first row for `values`; None if there is none. The query should be limited to one row."""
        return next(iter(self.rows(*values)), None)

    def sql(self, *values: Any) -> Sql:
        """Return the query for `values`, to combine it with others. Raises TypeError if `values` has a value of another
        type."""
        if (plan := self._plan(values)) is None:
            raise TypeError("only integers, strings and datetimes can be prepared")
        return _filled(plan, values)

    def _plan(self, values: Sequence[Any]) -> _Plan | None:
        types = tuple(map(type, values))
        plan = self._plans.get(types)
        if plan is None and STANDS_FOR.keys() >= set(types):
            plan = self._plans.setdefault(types, _plan_of(self._make, types))
        return plan


def sql_of(queryset: "models.QuerySet[Any, Any]") -> list[Sql]:
    """Return the query of `queryset` in a list, to combine it with others; [] if Django can tell that it finds
    nothing."""
    try:
        return [queryset.query.sql_with_params()]
    except EmptyResultSet:
        return []


def rows_of(queries: Sequence[Sql]) -> list[tuple[Any, ...]]:
    """Return the rows of all `queries`, of which there is at least one, as the database returns them."""
    sql, params = queries[0]
    if len(queries) > 1:
        named = (f"({one}) AS part{n}" for n, (one, _params) in enumerate(queries))
        sql = " UNION ALL ".join(f"SELECT * FROM {part}" for part in named)  # noqa: S608 - made by Django
        params = [param for _sql, some in queries for param in some]
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def _filled(plan: _Plan, values: Sequence[Any]) -> Sql:
    given = [_adapted(value) for value in values]
    params = [param if place is None else given[place] for param, place in zip(plan.params, plan.places, strict=True)]
    return plan.sql, params


def padded[Value](values: Sequence[Value]) -> list[Value]:
    """Return `values` with the last one repeated until there are 1, 2, 4, 8, 16, … of them. This way, queries for many
    primary keys need only a few plans. `values` mustn't be empty."""
    missing = (1 << (len(values) - 1).bit_length()) - len(values)
    return [*values, *[values[-1]] * missing]


def _plan_of(make: Callable[..., Any], types: Sequence[type]) -> _Plan:
    """Compile the query, trying it with two sets of values. Raises ValueError if anything but the values differs
    between the two."""
    given, others = ([STANDS_FOR[kind](start + n) for n, kind in enumerate(types)] for start in (0, len(types)))
    queryset = make(*given)
    compiler = queryset.query.get_compiler(queryset.db)
    sql, params = compiler.as_sql()
    adapted, other_values = [_adapted(value) for value in given], [_adapted(value) for value in others]
    place_of = {value: n for n, value in enumerate(adapted)}
    places = [_place_of(param, place_of) for param in params]
    expected = [param if place is None else other_values[place] for param, place in zip(params, places, strict=True)]
    other = make(*others)
    other_sql, other_params = other.query.get_compiler(queryset.db).as_sql()
    if (other_sql, list(other_params)) != (sql, expected) or _prefetched(queryset) != _prefetched(other):
        raise ValueError("the query contains something else that isn't always the same, such as the time")
    select, klass = compiler.select, compiler.klass_info
    plan = _Plan(sql, params, places, compiler.get_converters([column for column, *_ in select]), model=None)
    if not issubclass(queryset._iterable_class, ModelIterable):
        return plan
    fields, mode = klass["select_fields"], queryset._fetch_mode
    return _Plan(
        **vars(plan)
        | {
            "model": klass["model"],
            "start": fields[0],
            "end": fields[-1] + 1,
            "names": [column.target.attname for column, *_ in select[fields[0] : fields[-1] + 1]],
            "related": get_related_populators(klass, select, queryset.db, mode),
            "annotations": list((compiler.annotation_col_map or {}).items()),
            "prefetches": queryset._prefetch_related_lookups,
        }
    )


def _place_of(param: Any, places: dict[Any, int]) -> int | None:
    """Return which of the values `param` stands for; None if it's a constant."""
    try:
        return places.get(param)
    except TypeError:  # not hashable, such as a list
        return None


def _fresh(lookup: Any) -> Any:
    """Return a copy of a lookup for `prefetch_related`, because Django keeps rows in those that it has used."""
    made = copy(lookup)
    if isinstance(made, Prefetch) and made.queryset is not None:
        nested = made.queryset._prefetch_related_lookups
        made.queryset._prefetch_related_lookups = tuple(map(_fresh, nested))
    return made


def _prefetched(queryset: Any) -> list[Any]:
    """Return what the queryset prefetches, in a form that can be compared."""
    return [
        (lookup.prefetch_to, lookup.queryset.query.sql_with_params(), _prefetched(lookup.queryset))
        if isinstance(lookup, Prefetch) and lookup.queryset is not None
        else getattr(lookup, "prefetch_to", lookup)
        for lookup in queryset._prefetch_related_lookups
    ]


def _row_of(plan: _Plan, row: Sequence[Any]) -> Any:
    """Convert a database row to what Django's own querysets return (`ModelIterable`, `ValuesListIterable`)."""
    if plan.converters:
        row = list(row)
        for column, (converters, expression) in plan.converters.items():
            for converter in converters:
                row[column] = converter(row[column], expression, connection)
    if plan.model is None:
        return tuple(row)
    made = plan.model.from_db(connection.alias, plan.names, row[plan.start : plan.end])
    for populator in plan.related:
        populator.populate(row, made)
    for name, column in plan.annotations:
        setattr(made, name, row[column])
    return made


def _adapted(value: Any) -> Any:
    """Return `value` in the form that the database driver expects."""
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value
