"""Serving the pages for deciding takes hardly any more work when a portal has ten times as many runs, results,
decisions and comments.

`python -m tests.bench review review_postgres` measures the same thing with many more of each.
"""

from collections.abc import Callable

import pytest
from django.db import connection

from runs.models import Member
from tests.bench.review import FEWER, MOST_GROWTH, work_before

pytestmark = pytest.mark.django_db
RUNS = 50_000  # more would take CI a minute
# PostgreSQL prefers to scan tables this small in full, but scans large ones in full only if no index helps.
AS_IF_LARGE = [f"SET LOCAL enable_{way} = off" for way in ("seqscan", "hashjoin", "mergejoin")]


def test_ten_times_as_many_rows_are_no_more_work(make_member: Callable[..., Member]) -> None:
    many, approver = make_member("many"), make_member("approver", role="approver")
    with connection.cursor() as cursor:
        for statement in AS_IF_LARGE if connection.vendor == "postgresql" else ():
            cursor.execute(statement)
    few, now = (work_before(many, approver, count) for count in (RUNS // FEWER, RUNS))
    grown = {what: (few[what], now[what]) for what in few if now[what] > few[what] * MOST_GROWTH}
    assert not grown
