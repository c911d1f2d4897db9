"""Every change is recorded exactly once, except for listed exemptions, each with a reason."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import reverse

from runs.audit.record import WITH_ORIGIN
from runs.models import App, Entry, EntryOrigin, Member, Verb
from runs.sharing.visibility import share_with_team
from tests.support.access_rows import ROWS, SAID, Row
from tests.support.access_world import World
from tests.support.acts import ACTS, EXEMPT, NEW_PASSWORD, Act, row_of
from tests.support.clients import PASSWORD
from tests.support.factories import make_app, make_run

pytestmark = pytest.mark.django_db

# Secrets that the requests post: passphrases, passwords, channel addresses, and what people write to each other.
SECRETS = ("three blue boats", NEW_PASSWORD, PASSWORD, "T0/B0/XYZ", "at sea", *SAID.values(), "Lovely")
POSTS = {row.name for row in ROWS if row.method == "post"}


@pytest.fixture
def app() -> App:
    return make_app()


@pytest.fixture
def world(make_member: Callable[..., Member]) -> World:
    return World(make_member)


def send(world: World, row: Row, act: Act) -> HttpResponseBase:
    """Do `act` by sending the request for `row`; return the response, along with the entries that were recorded."""
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
    """Return what is wrong with the recorded entries; "" if nothing is."""
    entries: list[Entry] = answer.entries
    verbs = [entry.verb for entry in entries]
    if list(dict.fromkeys(verbs)) != [str(verb) for verb in act.verbs]:
        return f"recorded {verbs}, answered {answer.status_code}"
    if len(act.verbs) == 1 and len(entries) != 1:
        return f"{len(entries)} entries"
    if len({entry.request_id for entry in entries}) != 1 or not entries[0].request_id:
        return "without one request id for all"
    told = str([(entry.object_label, entry.changes) for entry in entries])
    if secrets := [secret for secret in SECRETS if secret in told]:
        return f"tells {secrets}"
    way = "guest" if act.who == "guest" else "page"
    if any(entry.way != way for entry in entries):
        return f"by {entries[0].way}"
    origins = EntryOrigin.objects.filter(entry_id__in=[entry.pk for entry in entries]).count()
    if bool(origins) != (way == "guest" or not WITH_ORIGIN.isdisjoint(act.verbs)):
        return f"with {origins} networks"
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


# --- Many changes at once, and no change at all
# --------------------------------------------------------------------------
def test_a_press_on_two_hundred_runs_writes_two_hundred_entries(as_alice: Client, alice: Member, app: App) -> None:
    runs = [make_run(alice, app, status="completed") for _ in range(200)]
    ids = [run.public_id for run in runs]
    as_alice.post("/history/act/", {"do": "share", "place": "mine", "r": ids})
    entries = Entry.objects.filter(verb=Verb.RUN_SHARED)
    assert sorted(entries.values_list("object_id", flat=True)) == sorted(ids)
    assert len(set(entries.values_list("request_id", flat=True))) == 1
    assert set(entries.values_list("actor_id", "actor_name")) == {(alice.pk, "Alice")}


def test_what_is_rolled_back_is_not_recorded(alice: Member) -> None:
    run = make_run(alice)
    there = Entry.objects.count()
    with transaction.atomic():
        share_with_team(run)
        assert Entry.objects.count() == there + 1
        transaction.set_rollback(True)
    assert Entry.objects.count() == there
