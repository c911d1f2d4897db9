"""Prepared queries return the same rows as the querysets they are made from."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count, Prefetch
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from runs.models import App, Draft, Member, Output, OutputFile, ReviewRequest, Run, RunInput
from runs.models.prepared import Prepared, padded, rows_of, sql_of
from tests.support.factories import make_app, make_kept, make_run

pytestmark = pytest.mark.django_db


def told(row: Any) -> dict[str, Any]:
    """Return all values that were loaded into `row` and its related rows."""
    related = {name: told(one) if one else None for name, one in row._state.fields_cache.items() if name != "schema"}
    return {name: value for name, value in vars(row).items() if name != "_state"} | {"related": related}


def test_rows_of_models_are_the_same(alice: Member, bob: Member) -> None:
    app, since = make_app("Poster"), timezone.now() - timedelta(hours=1)
    runs = [make_run(alice, app, starred_by=bob, starred_at=timezone.now()), make_run(alice, app), make_run(bob, app)]
    make_kept(runs[0])
    make_run(alice, app, created_at=since - timedelta(hours=1))

    def latest(member: int, name: str, at: Any) -> Any:
        found = Run.objects.owned_by(Member(pk=member)).filter(app__name=name, created_at__gte=at)
        return found.annotate(made=Count("outputs")).for_cards().newest_first()[:5]

    prepared = Prepared(latest)
    for member in (alice, bob, alice):
        plain = list(latest(member.pk, "Poster", since))
        assert [told(run) for run in prepared.rows(member.pk, "Poster", since)] == [told(run) for run in plain]
    assert len(prepared.rows(alice.pk, "Poster", since)) == 2
    assert prepared.first(alice.pk, "Palette", since) is None


def test_rows_of_values_are_the_same_for_any_number_of_values() -> None:
    first, second = make_app("Poster"), make_app("Palette")
    prepared = Prepared(lambda *keys: App.objects.filter(pk__in=keys).order_by("name").values_list("name", "makes"))
    assert prepared.rows(first.pk) == [("Poster", first.makes)]
    assert prepared.rows(first.pk, second.pk) == [("Palette", second.makes), ("Poster", first.makes)]


def test_prefetched_rows_are_the_same(alice: Member) -> None:
    runs = [make_run(alice), make_run(alice)]
    make_kept(runs[0])
    files = Prefetch("files", OutputFile.objects.select_related("file"))
    outputs = Prefetch("outputs", Output.objects.prefetch_related(files))

    def with_outputs(member: int) -> Any:
        return Run.objects.owned_by(Member(pk=member)).prefetch_related(outputs, "inputs").order_by("pk")

    prepared = Prepared(with_outputs)
    for _ in range(2):  # first prepared, then reused
        with CaptureQueriesContext(connection) as queries:
            found = prepared.rows(alice.pk)
            kept = [[one.file for one in output.files.all()] for run in found for output in run.outputs.all()]
            inputs = [list(run.inputs.all()) for run in found]
        assert found == runs
        assert kept == [[one.file for one in output.files.all()] for output in Output.objects.order_by("pk")]
        assert any(kept)
        assert inputs == [list(RunInput.objects.filter(run=run)) for run in runs]
        assert len(queries) == 4
    assert prepared.rows(alice.pk + 1) == []
    # Django keeps a row in each lookup it has used; those of the query mustn't keep anybody's rows
    assert [vars(lookup.queryset)["_hints"] for lookup in (outputs, files)] == [{}, {}]


def test_values_are_only_ever_values() -> None:
    app = make_app("Poster")
    prepared = Prepared(lambda name: App.objects.filter(name=name).values_list("name"))
    assert prepared.rows("' OR 1=1 --") == []
    assert prepared.rows("%s") == []
    assert prepared.rows(app.name) == [("Poster",)]


def test_each_use_is_one_query() -> None:
    prepared = Prepared(lambda app: Draft.objects.filter(app_id=app)[:1])
    prepared.rows(1)
    with CaptureQueriesContext(connection) as queries:
        prepared.rows(2)
    assert len(queries) == 1


def test_what_changes_from_one_time_to_the_next_is_refused() -> None:
    with pytest.raises(ValueError, match="isn't always the same"):
        Prepared(lambda: Run.objects.filter(created_at__lt=timezone.now())).rows()
    with pytest.raises(ValueError, match="isn't always the same"):
        Prepared(lambda name: App.objects.filter(name__contains=f"{name} of")).rows("Poster")
    # A query for prefetched rows isn't prepared, so it would keep the values it was made with
    own = Prepared(lambda key: App.objects.prefetch_related(Prefetch("runs", Run.objects.filter(member_id=key))))
    with pytest.raises(ValueError, match="isn't always the same"):
        own.rows(1)


def test_a_value_may_make_no_difference(alice: Member) -> None:
    app = make_app("Poster")
    prepared = Prepared(lambda _member, name: App.objects.filter(name=name))
    assert prepared.rows(alice.pk, "Poster") == [app]


@pytest.mark.parametrize("role", Member.Role.values)
def test_pages_with_prepared_queries_open_for_every_role(as_alice: Client, alice: Member, role: str) -> None:
    Member.objects.filter(pk=alice.pk).update(role=role)
    app = make_app("Poster")
    run = make_run(alice, app, status="completed", starred_by=alice, starred_at=timezone.now())
    make_kept(run)
    queries = ("", "view=results", "waits=me", "waits=anyone", "q=poster", "q=poster&waits=me", f"app={app.public_id}")
    history = [f"/history/?tab=team&{query}" for query in queries] + [f"/history/?{query}" for query in queries]
    for path in ("/", *history, app.get_absolute_url(), run.get_absolute_url()):
        for _ in range(2):  # first prepared, then reused
            assert as_alice.get(path).status_code == 200, path


def test_a_value_of_another_type_takes_the_plain_query(alice: Member) -> None:
    run = make_run(alice)
    found = Prepared(lambda parent: Run.objects.filter(parent=parent))
    assert found.rows(None) == [run]
    assert found.rows(run.pk) == []


def test_rows_of_another_query_are_included() -> None:
    for name in ("Poster", "Palette", "Mood board", "Jingle"):
        make_app(name)
    prepared = Prepared(lambda name: App.objects.filter(name=name).order_by("name").values_list("name", "makes")[:1])
    others = App.objects.filter(name__startswith="P").order_by("-name").values_list("name", "makes")
    with CaptureQueriesContext(connection) as queries:
        found = prepared.rows("Jingle", also=sql_of(others.filter(name__endswith="e")[:1]))
    assert sorted(name for name, _makes in found) == ["Jingle", "Palette"]
    assert len(queries) == 1
    both = prepared.rows("Jingle", also=[*sql_of(others), prepared.sql("Mood board")])
    assert sorted(name for name, _makes in both) == ["Jingle", "Mood board", "Palette", "Poster"]
    assert sql_of(others.filter(pk__in=[])) == []
    assert sorted(name for name, _makes in rows_of([prepared.sql("Jingle"), prepared.sql("Poster")])) == [
        "Jingle",
        "Poster",
    ]
    with pytest.raises(TypeError):  # a value that needs the plain query
        prepared.rows(None, also=sql_of(others))
    with pytest.raises(TypeError):
        prepared.sql(None)


def test_few_plans_serve_any_number_of_keys(alice: Member) -> None:
    runs = [make_run(alice) for _ in range(5)]
    assert padded([1, 2, 3, 4, 5]) == [1, 2, 3, 4, 5, 5, 5, 5]
    assert [len(padded([0] * n)) for n in (1, 2, 3, 4)] == [1, 2, 4, 4]
    found = Prepared(lambda *keys: Run.objects.filter(pk__in=keys).order_by("pk"))
    assert found.rows(*padded([run.pk for run in runs])) == runs


def test_a_relation_keeps_its_filter(alice: Member, bob: Member) -> None:
    request = ReviewRequest.objects.create(asker=alice)
    request.members.add(bob)
    assert request.members.get(pk=bob.pk) == bob
    with pytest.raises(Member.DoesNotExist):
        request.members.get(pk=alice.pk)
