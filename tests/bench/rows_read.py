"""Counts the rows that PostgreSQL reads for a page. SQLite doesn't report that."""

import json
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from runs.models import Member

type Plan = dict[str, Any]
INDEX_ONLY = "Bitmap Index Scan"  # rows are counted at the scan that reads them


def rows_read(member: Member, path: str) -> int:
    """Return how many rows a page's queries read, including session and member."""
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(member)
    cache.clear()
    with CaptureQueriesContext(connection) as captured:
        client.get(path)
    asked = [query["sql"] for query in captured.captured_queries if query["sql"].startswith("SELECT")]
    return sum(_rows(_explain(query)) for query in asked)


def _explain(query: str) -> Plan:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}")
        found = cursor.fetchone()[0]
    plan: Plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return plan


def _rows(plan: Plan) -> int:
    """Return the rows read by the scans of a plan, including those that were filtered out."""
    below = sum(_rows(part) for part in plan.get("Plans", ()))
    if "Relation Name" not in plan or plan["Node Type"] == INDEX_ONLY:
        return below
    left_out = sum(plan.get(f"Rows Removed by {why}", 0) for why in ("Filter", "Index Recheck"))
    return below + int((plan["Actual Rows"] + left_out) * plan["Actual Loops"])
