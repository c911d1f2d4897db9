"""Serving the pages for deciding, and others that look for few of many runs, takes hardly any more work when a portal
has ten times as many runs, results, decisions and comments.

`python -m tests.bench review review_postgres` measures the pages for deciding with many more of each.
"""

from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection

from runs.models import Member, Run
from tests.bench.review import FEWER, MOST_GROWTH, work_before
from tests.support.factories import make_kept, make_stored

pytestmark = pytest.mark.django_db
ROLES = {"many": "maker", "approver": "approver", "admin": "admin"}
RUNS = 50_000  # more would take CI a minute
# PostgreSQL prefers to scan tables this small in full, but scans large ones in full only if no index helps.
AS_IF_LARGE = [f"SET LOCAL enable_{way} = off" for way in ("seqscan", "hashjoin", "mergejoin")]


def test_ten_times_as_many_rows_are_no_more_work(make_member: Callable[..., Member]) -> None:
    many, approver, admin = (make_member(name, role=role) for name, role in ROLES.items())
    with connection.cursor() as cursor:
        for statement in AS_IF_LARGE if connection.vendor == "postgresql" else ():
            cursor.execute(statement)
    # On PostgreSQL, these pages need tables of a real size
    also = partial(pages_of, many, approver, admin) if connection.vendor == "sqlite" else dict
    few, now = (work_before(many, approver, count, also) for count in (RUNS // FEWER, RUNS))
    grown = {what: (few[what], now[what]) for what in few if now[what] > few[what] * MOST_GROWTH}
    assert not grown


def pages_of(many: Member, approver: Member, admin: Member) -> dict[str, tuple[Member, str]]:
    """Return pages that find few rows among many, and would be slow if they went through all of them."""
    run = Run.objects.owned_by(many).filter(status="completed").newest_first()[0]
    file = make_stored((300, 200))
    make_kept(run, file)
    return {
        "Home": (many, "/"),
        "Home, admin": (admin, "/"),
        "run page": (many, run.get_absolute_url()),
        "run page, admin": (admin, run.get_absolute_url()),
        "thumbnail": (approver, f"/files/{file.public_id}/thumb/400"),
        "file, admin": (admin, f"/files/{file.public_id}/original"),
    }
