"""Queries that Django's own methods can't express, such as reading rows and their related rows in a single query, with
only the columns that are needed."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Exists, IntegerField, Lookup, Model, OuterRef, QuerySet, Subquery
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


def fetch_joined[M: Model](
    rows: QuerySet[M], many: str, *of_many: str, one: Mapping[str, Collection[str]] | None = None
) -> list[M]:
    """Return `rows` together with their related rows in `many`, ordered by position, and the rows those refer to.

    `of_many` lists the relations to follow from `many`, such as "file", or "upload" and "upload__file". `one` maps
    relations of `rows` themselves to the columns needed from each; an empty list means all columns. As after a
    prefetch, `row.<many>.all()` needs no query.
    """
    columns = one or {}
    parts = [_Part(rows.model, path, columns.get(path, ())) for path in ("", *columns, many)]
    parts += [_Part(rows.model, f"{many}__{path}") for path in of_many]
    order = [*(rows.query.order_by or rows.model._meta.ordering or ()), f"{many}__position"]
    found: dict[Any, M] = {}
    children: dict[Any, list[Model]] = {}
    for values in rows.order_by(*order).values_list(*(column for part in parts for column in part.columns)):
        cells = iter(values)
        made: dict[str, Any] = {part.path: part.read(cells, rows.db) for part in parts}
        if (row := found.get(made[""].pk)) is None:
            row = found[made[""].pk] = made[""]
            for path in columns:
                setattr(row, path, made[path])
        if made[many] is not None:
            setattr(made[many], _owner(rows.model, many), row)
            for path in of_many:
                holder, _, name = f"{many}__{path}".rpartition("__")
                if made[holder] is not None:
                    setattr(made[holder], name, made[f"{many}__{path}"])
            children.setdefault(row.pk, []).append(made[many])
    for key, parent in found.items():
        keep_related(parent, many, children.get(key, []))
    return list(found.values())


class _Part:
    """The columns read from one table (only those in `only`, if given), and how to build model instances from them."""

    def __init__(self, model: type[Model], path: str, only: Collection[str] = ()) -> None:
        self.path, self.model = path, model
        for name in filter(None, path.split("__")):
            related: Any = self.model._meta.get_field(name).related_model
            self.model = related
        every = [field.attname for field in self.model._meta.concrete_fields]
        self.fields = [name for name in every if name in only or not only]
        self.columns = [f"{path}__{name}" if path else name for name in self.fields]
        self.key = self.fields.index(str(self.model._meta.pk.attname))

    def read(self, cells: Iterator[Any], database: str) -> Model | None:
        """Build an instance from the next cells; return None if they are empty."""
        values = [next(cells) for _ in self.fields]
        return None if values[self.key] is None else self.model.from_db(database, self.fields, values)


def _owner(model: type[Model], many: str) -> str:
    """Return the name of the foreign key from the rows in `many` to `model`."""
    relation: Any = model._meta.get_field(many)
    return str(relation.remote_field.name)


def keep_related(parent: Model, many: str, children: Sequence[Model]) -> None:
    """Cache `children` as the rows of `parent`'s reverse relation `many`, as Django's prefetch does."""
    rows: Any = getattr(parent, many).get_queryset()
    rows._result_cache, rows._prefetch_done = list(children), True
    kept: dict[str, Any] = parent.__dict__.setdefault("_prefetched_objects_cache", {})
    kept[many] = rows
