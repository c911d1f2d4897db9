"""The distinct values of a column that has an index: reads one row for each value, where DISTINCT would read all."""

from typing import Any

from django.db.models import Model
from django.db.models.expressions import RawSQL


def distinct_values(model: type[Model], name: str, **equal: Any) -> RawSQL:
    """Return a subquery for the values of the field `name`, except null, in rows with the values of `equal`.

    The index has to begin with the fields of `equal`, followed by `name`.
    """
    columns = {field.name: field.column for field in model._meta.concrete_fields}
    table, column = model._meta.db_table, columns[name]
    same = "".join(f" AND {columns[one]} = %s" for one in equal)
    first = f"SELECT {column} FROM {table} WHERE {{}}{same} ORDER BY {column} LIMIT 1"  # noqa: S608
    following = first.format(f"{column} > known.value")
    sql = f"""WITH RECURSIVE known(value) AS (
        SELECT ({first.format(f"{column} IS NOT NULL")})
        UNION ALL SELECT ({following}) FROM known WHERE known.value IS NOT NULL
    ) SELECT value FROM known WHERE value IS NOT NULL"""  # noqa: S608
    return RawSQL(sql, (*equal.values(), *equal.values()))  # noqa: S611
