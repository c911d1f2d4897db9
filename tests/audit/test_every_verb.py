"""Everything that changes something is in the record once, or in a list of exemptions with its reason."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.http import HttpResponseBase
from django.urls import reverse

from runs.models import Entry, Member
from tests.support.access_rows import ROWS, Row
from tests.support.access_world import World
from tests.support.acts import ACTS, EXEMPT, Act

pytestmark = pytest.mark.django_db

POSTS = {row.name for row in ROWS if row.method == "post"}


@pytest.fixture
def world(make_member: Callable[..., Member]) -> World:
    return World(make_member)


def row_of(name: str, act: Act) -> Row:
    own = [row for row in ROWS if (row.name, row.method) == (name, "post")]
    return next((row for row in own if row.query == act.query), own[0])


def send(world: World, row: Row, act: Act) -> HttpResponseBase:
    """Send the request of an act."""
    client = world.client(act.who)
    act.before(world, client)
    there = set(Entry.objects.values_list("pk", flat=True))
    url = reverse(row.name, args=(act.path or row.path)(world))
    if row.name == "runs:preset-new":
        url = f"{url}?from={world.subject.run.public_id}"
    answer: Any = client.post(url, (act.data or row.data)(world) or {})
    answer.entries = list(Entry.objects.exclude(pk__in=there).order_by("pk"))
    return answer  # type: ignore[no-any-return]


def problem_of(answer: Any, act: Act) -> str:
    """Return what is wrong with what was recorded; "" if nothing is."""
    entries: list[Entry] = answer.entries
    verbs = [entry.verb for entry in entries]
    if list(dict.fromkeys(verbs)) != [str(verb) for verb in act.verbs]:
        return f"recorded {verbs}, answered {answer.status_code}"
    if len(act.verbs) == 1 and len(entries) != 1:
        return f"{len(entries)} entries"
    if len({entry.request_id for entry in entries}) != 1 or not entries[0].request_id:
        return "without one request id for all"
    way = "guest" if act.who == "guest" else "page"
    if any(entry.way != way for entry in entries):
        return f"by {entries[0].way}"
    return ""


def test_every_post_is_recorded_or_exempt() -> None:
    acted = {name for name, _ in ACTS}
    assert acted | set(EXEMPT) == POSTS
    assert not acted & set(EXEMPT)


def test_every_act_writes_its_entry(world: World) -> None:
    wrong = []
    for name, act in ACTS:
        cache.clear()
        world.subject = getattr(world, act.subject)
        with transaction.atomic():
            found = problem_of(send(world, row_of(name, act), act), act)
            transaction.set_rollback(True)
        wrong += [f"{name} {', '.join(act.verbs)}: {found}"] if found else []
    assert not wrong, "\n".join(wrong)
