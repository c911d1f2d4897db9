"""What a migration does with rows that are there already."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

Migrate = Callable[[str], Any]


@pytest.fixture
def migrate(transactional_db: None) -> Iterator[Migrate]:
    """Bring the tables to a migration, and give the models as they were then; at the end all is new again."""

    def to(name: str) -> Any:
        executor = MigrationExecutor(connection)
        executor.migrate([("runs", name)])
        return executor.loader.project_state([("runs", name)]).apps

    yield to
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def test_people_who_are_here_get_addresses_and_saved_views_still_name_them(migrate: Migrate) -> None:
    old = migrate("0006_work_seconds")
    member_model, view_model = old.get_model("runs", "Member"), old.get_model("runs", "SavedView")
    people = [member_model.objects.create(email=f"p{n}@example.com", password="x") for n in range(3)]
    queries = [f"tab=team&by={people[1].pk}&kind=image", "q=by%3D1", "tab=team&by=999999"]
    for n, query in enumerate(queries):
        view_model.objects.create(member=people[0], name=f"view {n}", query=query)

    new = migrate("0008_addresses_of_people_unique")

    ids = dict(new.get_model("runs", "Member").objects.values_list("email", "public_id"))
    assert all(len(public_id) == 16 for public_id in ids.values())
    assert len(set(ids.values())) == 3
    kept = list(new.get_model("runs", "SavedView").objects.order_by("name").values_list("query", flat=True))
    assert kept == [f"tab=team&by={ids['p1@example.com']}&kind=image", *queries[1:]]


def test_apps_that_are_here_are_found_without_accents(migrate: Migrate) -> None:
    old = migrate("0009_clock_steady_since")
    old.get_model("runs", "App").objects.create(remote_id="a", name="Légendes", search_text="légendes été")

    new = migrate("0010_fold_app_texts")

    assert new.get_model("runs", "App").objects.get().search_text == "legendes ete"
