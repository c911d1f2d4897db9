"""Counts the rows and buffers that PostgreSQL reads for a page. SQLite doesn't report these numbers, so the steps of
its bytecode programs are counted instead."""

import json
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from runs.models import Member

type Plan = dict[str, Any]
READS = ("SELECT", "(SELECT", "WITH")  # the second is how a UNION begins
STEPS = 10  # SQLite steps between two counts
INDEX_ONLY = "Bitmap Index Scan"  # not counted, because the scan above it in the plan reports the same rows


@dataclass(frozen=True)
class Reads:
    """What a page's queries read: rows, buffers, and the number of index lookups, each of which reads one more buffer
    once its index has grown by a level. `worst` is the query that read the most buffers."""

    rows: int
    buffers: int
    descents: int
    worst: str = ""


def rows_read(member: Member, path: str) -> int:
    """Return how many rows a page's queries read, including those for the session and the member."""
    return reads_of(member, path).rows


def work_for(member: Member, path: str) -> int:
    """Return how much work the database does for a page: the rows that PostgreSQL reads, or SQLite's steps."""
    if connection.vendor == "postgresql":
        return rows_read(member, path)
    client, counted = Client(SERVER_NAME="127.0.0.1"), 0

    def count() -> None:
        nonlocal counted
        counted += STEPS

    client.force_login(member)
    cache.clear()
    connection.connection.set_progress_handler(count, STEPS)
    try:
        status = client.get(path).status_code
    finally:
        connection.connection.set_progress_handler(None, STEPS)
    if status != 200:
        raise RuntimeError(f"{path[:60]} returned {status}")
    return counted


def reads_of(member: Member, path: str, headers: dict[str, str] | None = None) -> Reads:
    """Return what a page's queries read with nothing cached, including those for the session and the member."""
    client = Client(SERVER_NAME="127.0.0.1", headers=headers or {})
    client.force_login(member)
    cache.clear()
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(path)
    if answer.status_code not in (200, 204):
        raise RuntimeError(f"{path[:60]} returned {answer.status_code}")
    asked = [query["sql"] for query in captured.captured_queries if query["sql"].startswith(READS)]
    plans = [(_explain(query), query) for query in asked]
    worst = max(plans, key=lambda found: _buffers(found[0]))[1]
    return Reads(
        sum(_rows(plan) for plan, _ in plans),
        sum(_buffers(plan) for plan, _ in plans),
        sum(_descents(plan) for plan, _ in plans),
        worst,
    )


def _explain(query: str) -> Plan:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}")
        found = cursor.fetchone()[0]
    plan: Plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return plan


def _rows(plan: Plan) -> int:
    """Return how many rows the scans in a plan read, including those that were filtered out."""
    below = sum(_rows(part) for part in plan.get("Plans", ()))
    if "Relation Name" not in plan or plan["Node Type"] == INDEX_ONLY:
        return below
    left_out = sum(plan.get(f"Rows Removed by {why}", 0) for why in ("Filter", "Index Recheck"))
    return below + int((plan["Actual Rows"] + left_out) * plan["Actual Loops"])


def _buffers(plan: Plan) -> int:
    """Return how many buffers a plan and its parts read, whether or not they were already in memory."""
    return int(plan.get("Shared Hit Blocks", 0) + plan.get("Shared Read Blocks", 0))


def _descents(plan: Plan) -> int:
    below = sum(_descents(part) for part in plan.get("Plans", ()))
    return below + (int(plan["Actual Loops"]) if "Index Name" in plan else 0)
