"""NUL characters in posted fields: PostgreSQL can't store them, so no view may use them in a lookup."""

import pytest
from django.core.cache import cache
from django.db import transaction
from django.urls import reverse

from runs.models import Member, SavedView
from tests.support.access_rows import ROWS, Row
from tests.support.access_world import World
from tests.support.clients import client_of

pytestmark = pytest.mark.django_db
NAMES = ("r", "o", "f", "run", "app", "token", "name", "query", "pick", "field", "title", "to", "email", "act", "back")


@pytest.mark.parametrize(
    "row",
    [row for row in ROWS if row.method == "post" and row.name != "runs:webhook"],
    ids=lambda row: f"{row.name} {row.query}",
)
def test_no_posted_field_is_a_server_error(world: World, row: Row) -> None:
    world.subject = world.shared
    client = world.client("admin")
    for name in NAMES:
        cache.clear()
        with transaction.atomic():
            data = (row.data(world) or {}) | {name: "a\x00b"}
            assert client.post(reverse(row.name, args=row.path(world)), data).status_code < 500, name
            transaction.set_rollback(True)


def test_what_is_saved_has_a_mark_in_its_place(alice: Member) -> None:
    client_of(alice).post(reverse("runs:view-save"), {"name": "a\x00b", "query": "q=shoe"})

    assert SavedView.objects.get().name == "a\ufffdb"
