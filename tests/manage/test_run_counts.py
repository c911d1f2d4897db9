"""Run counts, kept by the worker: when there are many runs, Health and People show these instead of counting the runs
themselves."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from runs.history import run_counts
from runs.manage import health_report
from runs.models import Member, Run, StoredFile, run_count
from runs.storage import usage
from tests.support.factories import make_app, make_run, make_stored
from tests.support.page import Page

pytestmark = pytest.mark.django_db


def test_with_many_runs_pages_show_what_was_counted(
    as_admin: Client, alice: Member, bob: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    runs = [make_run(member, app, status="completed") for member in (alice, alice, alice, bob)]
    Run.objects.filter(pk=runs[0].pk).update(deleted_at=timezone.now())
    make_stored()
    assert "counted once an hour" not in as_admin.get("/manage/").text
    monkeypatch.setattr(run_counts, "SLICE", 2)
    monkeypatch.setattr(run_count, "MANY", 4)
    monkeypatch.setattr(health_report, "MANY_FILES", 1)
    for _ in range(2):  # counting again changes nothing
        assert run_counts.count(timezone.now())
        assert usage.count(timezone.now())
    make_run(bob, app, status="completed")

    with CaptureQueriesContext(connection) as asked:
        health, people = as_admin.get("/manage/").text, as_admin.get("/manage/people/").text

    assert "Ready 4" in Page(health).first("table").words
    assert "Runs that have ended are counted once an hour" in health
    assert "1 file" in health
    assert "Counted once a day" in health
    assert "Runs are counted once an hour" in people
    rows = {row.first("a").words: row.words for row in Page(people).find("li") if "person-row" in row.classes}
    assert "2 runs" in rows[alice.display_name], "without the one in the bin"
    assert "1 run" in rows[bob.display_name], "as counted"
    sums = [query["sql"] for query in asked if "COUNT(" in query["sql"] or "SUM(" in query["sql"]]
    assert not [sql for sql in sums if StoredFile._meta.db_table in sql or "'completed', 'failed'" in sql]


def test_a_full_bin_is_not_counted_to_the_end(as_admin: Client, alice: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_report, "MANY_IN_BIN", 1)
    runs = [make_run(alice, status="completed") for _ in range(2)]
    Run.objects.filter(pk=runs[0].pk).update(deleted_at=timezone.now())
    assert "1 run, to be permanently deleted" in as_admin.get("/manage/").text
    Run.objects.update(deleted_at=timezone.now())
    assert "more than 1 runs" in as_admin.get("/manage/").text
