"""SQLite uses the partial indexes: their conditions are written into queries, not passed as parameters."""

from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import Index, Q, QuerySet
from django.utils import timezone

from runs.models import Member, Output, OutputFile, Run, StoredFile, Upload
from tests.support.factories import make_run

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL sees the values of parameters"),
]
CONDITIONS = [
    (model, index)
    for model in apps.get_app_config("runs").get_models()
    for index in model._meta.indexes
    if index.condition is not None
    and index.name != "output_rejected"  # needed once a day, for a column without choices
]


def index_of(rows: "QuerySet[Any, Any]") -> str:
    """Return how SQLite finds `rows`, with the values passed as Django passes them."""
    sql, params = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
        return str(cursor.fetchall())


@pytest.mark.parametrize(("model", "index"), CONDITIONS, ids=[index.name for _, index in CONDITIONS])
def test_no_condition_of_an_index_needs_a_parameter(model: type, index: Index) -> None:
    assert isinstance(index.condition, Q)
    sql, params = model._base_manager.filter(index.condition).values("pk").query.sql_with_params()  # type: ignore[attr-defined]
    assert params == (), sql


def test_each_index_finds_what_it_is_for(alice: Member) -> None:
    now = timezone.now()
    found = {
        "run_active": Run.objects.active(),
        "run_active (status=? AND member_id=?)": Run.objects.owned_by(alice).active().order_by("due_at"),
        "run_due": Run.objects.due(now),
        "run_examples": Run.objects.filter(is_example=True),
        "output_file_due": OutputFile.objects.filter(status=OutputFile.Status.SAVING, due_at__lte=now),
        "output_file_failed": OutputFile.objects.filter(status="failed", created_at__gte=now),
        "file_of_catalogue": StoredFile.objects.filter(is_catalog=True, created_at__lt=now),
        "upload_fetching": Upload.objects.filter(status="fetching", claimed_until__lt=now),
    }
    for name, rows in found.items():
        assert name in index_of(rows.values("pk")), name


def test_values_are_compared_as_before(alice: Member) -> None:
    """Values that a field doesn't have, in any form, match nothing and never become part of the query."""
    make_run(alice, status="completed", title="It's done")
    assert Run.objects.filter(status__in=["completed", "it's"]).count() == 1
    assert Run.objects.filter(status__in=["completed", "completed", None]).count() == 1
    assert not Run.objects.filter(status="' OR 1=1 --").exists()
    assert not Run.objects.filter(status__in=["') OR 1=1 --"]).exists()
    assert not Run.objects.filter(status__in=[]).exists()
    assert Run.objects.exclude(status="failed").filter(is_example=False, status=Run.Status.COMPLETED).count() == 1
    assert Output.objects.filter(status__in=Run.objects.values("status")).exists()
