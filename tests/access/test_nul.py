"""NUL characters in posted fields: PostgreSQL can't store them, so no view may use them in a lookup."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from django.core.cache import cache
from django.db import transaction
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from runs.models import Member, SavedView
from tests.support.access_rows import ROWS, Row
from tests.support.access_world import World
from tests.support.clients import client_of

pytestmark = pytest.mark.django_db
WAYS = ("__getitem__", "__contains__", "getlist")  # methods that read a field; `get` calls the first of these


@contextmanager
def names_read() -> Iterator[set[str]]:
    """Record the name of each field that a view reads."""
    found: set[str] = set()

    def noting(way: Callable[..., Any]) -> Callable[..., Any]:
        def read(fields: QueryDict, name: str, *more: Any) -> Any:
            found.add(name)
            return way(fields, name, *more)

        return read

    with ExitStack() as patches:
        for way in WAYS:
            patches.enter_context(patch.object(QueryDict, way, noting(getattr(QueryDict, way))))
        yield found


def test_no_posted_field_is_a_server_error(world: World) -> None:
    """This is a single test because setting up the world takes longer than all the requests combined."""
    world.subject = world.shared
    client = world.client("admin")
    client.raise_request_exception = False
    wrong = []
    for row in ROWS:
        if row.method != "post" or row.name == "runs:webhook":
            continue
        asked: set[str] = set()
        with names_read() as read:
            _post(client, row, world)
            while read > asked:  # with NULs in some fields, a view may get as far as reading others
                asked = set(read)
                status = _post(client, row, world, **dict.fromkeys(asked, "a\x00b"))
                wrong += [f"{row.name} {row.query}, {sorted(asked)}: {status}"] if status >= 500 else []
            for name in sorted(row.data(world) or {}):  # with one field spoiled, a view gets as far as using it
                status = _post(client, row, world, **{name: "a\x00b"})
                wrong += [f"{row.name} {row.query}, {name}: {status}"] if status >= 500 else []
        assert asked or not row.data(world), row.name
    assert not wrong, "\n".join(wrong)


def _post(client: Client, row: Row, world: World, **more: str) -> int:
    """Send the request for `row` with the additional fields `more`, undo what it changed, and return the status."""
    cache.clear()
    with transaction.atomic():
        data = (row.data(world) or {}) | more
        status = client.post(reverse(row.name, args=row.path(world)), data).status_code
        transaction.set_rollback(True)
    return status


def test_what_is_saved_has_a_mark_in_its_place(alice: Member) -> None:
    client_of(alice).post(reverse("runs:view-save"), {"name": "a\x00b", "query": "q=shoe"})

    assert SavedView.objects.get().name == "a\ufffdb"
