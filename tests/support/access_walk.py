"""One step of the URL walk: sends a request and undoes its changes."""

from collections.abc import Callable

from django.core.cache import cache
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import reverse

from tests.support.access_rows import Row
from tests.support.access_world import World


def ask(
    world: World, row: Row, client: Client, method: str = "", *, then: Callable[[], None] = lambda: None
) -> HttpResponseBase:
    """Send the request for `row`, call `then`, and undo what the request changed."""
    cache.clear()
    with transaction.atomic():
        answer: HttpResponseBase = getattr(client, method or row.method)(
            reverse(row.name, args=row.path(world)), row.data(world) or {}
        )
        then()
        transaction.set_rollback(True)
    return answer


def body_of(answer: HttpResponseBase) -> str:
    content = b"".join(answer) if answer.streaming else answer.content  # type: ignore[attr-defined]
    return bytes(content).decode("utf-8", "replace")
