"""SQLite uses the indexes that are meant for what is due and for what pages look up."""

from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import Index, Q, QuerySet
from django.utils import timezone

from runs.models import Member, OutputFile, Run, StoredFile, Upload

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL sees the values of parameters"),
]
CONDITIONS = [
    (model, index)
    for model in apps.get_app_config("runs").get_models()
    for index in model._meta.indexes
    if index.condition is not None
]


def index_of(rows: "QuerySet[Any, Any]") -> str:
    """Return how SQLite finds `rows`, with the values passed as Django passes them."""
    sql, params = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
        return str(cursor.fetchall())


@pytest.mark.parametrize(("model", "index"), CONDITIONS, ids=[index.name for _, index in CONDITIONS])
def test_no_condition_of_an_index_needs_a_parameter(model: type, index: Index) -> None:
    """SQLite uses an index with a condition only if the query itself contains its values."""
    assert isinstance(index.condition, Q)
    sql, params = model._base_manager.filter(index.condition).values("pk").query.sql_with_params()  # type: ignore[attr-defined]
    assert params == (), sql


def test_each_index_finds_what_it_is_for(alice: Member) -> None:
    now = timezone.now()
    found = {
        "run_active (status=? AND member_id=?)": Run.objects.owned_by(alice).active().order_by("due_at"),
        "run_active (status=?)": Run.objects.due(now),
        "run_examples": Run.objects.filter(is_example=True),
        "run_history_starred": Run.objects.filter(has_star=True, deleted_at=None).newest_first(),
        "run_overdue": Run.objects.filter(
            finished_at__lt=now, deleted_at=None, held_at=None, has_star=False, status__in=["failed"]
        ),
        "output_file_due (status=? AND due_at<?)": OutputFile.objects.filter(
            file=None, status=OutputFile.Status.SAVING, due_at__lte=now
        ),
        "output_file_due (status=?)": OutputFile.objects.filter(file=None, status="failed"),
        "outputfile_output_id": OutputFile.objects.filter(output__in=[1, 2], status="saved"),
        "file_of_catalogue": StoredFile.objects.filter(is_catalog=True, created_at__lt=now),
        "upload_fetching": Upload.objects.filter(file=None, status="fetching", claimed_until__lt=now),
    }
    for name, rows in found.items():
        assert name in index_of(rows.values("pk")), f"{name}: {index_of(rows.values('pk'))}"
