"""Find the distinct values of an indexed column by reading one row for each value; DISTINCT would read all rows."""

from typing import Any

from django.db import connection
from django.db.models import Model
from django.db.models.expressions import RawSQL

from runs.models.output import LABEL_START, Output


def distinct_values(model: type[Model], name: str, **equal: Any) -> RawSQL:
    """Return a subquery for the non-null values of the field `name` in rows that match `equal`.

    This needs an index that starts with the fields in `equal`, followed by `name`.
    """
    columns = {field.name: str(field.column) for field in model._meta.concrete_fields}
    same = "".join(f" AND {columns[one]} = %s" for one in equal)
    sql = _jumping(model._meta.db_table, columns[name], same)
    return RawSQL(sql, (*equal.values(), *equal.values()))  # noqa: S611


def labels_of_results(most: int) -> list[str] | None:
    """Return the first `LABEL_START` characters of all result labels (folded), without duplicates; None if there are
    more than `most`."""
    function = "SUBSTRING" if connection.vendor == "postgresql" else "SUBSTR"
    sql = _jumping(Output._meta.db_table, f"{function}(search_text, 1, {LABEL_START})", "")
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} LIMIT {most + 1}")
        labels = [label for (label,) in cursor.fetchall()]
    return labels if len(labels) <= most else None


def _jumping(table: str, value: str, where: str) -> str:
    """Return a query that finds the values of the expression `value` by jumping from each value to the next."""
    first = f"SELECT {value} FROM {table} WHERE {{}}{where} ORDER BY {value} LIMIT 1"  # noqa: S608
    return f"""WITH RECURSIVE known(value) AS (
        SELECT ({first.format(f"{value} IS NOT NULL")})
        UNION ALL SELECT ({first.format(f"{value} > known.value")}) FROM known WHERE known.value IS NOT NULL
    ) SELECT value FROM known WHERE value IS NOT NULL"""  # noqa: S608
